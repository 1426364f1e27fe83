import { readFile, readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'

/**
 * Objects, or where they are: an object, a list of these, YAML or JSON text (a text with a line break, or that begins with a brace), or the path of a
 * file or of a directory (a URL too), whose .yaml, .yml and .json files are read in the order of their names.
 */
export type Manifest = object | string | URL | readonly Manifest[]

/** Objects with all that is needed to send them. */
export interface NamedObject { apiVersion: string, kind: string, metadata: { name: string, namespace?: string }, [field: string]: unknown }

/** Reads manifests into objects, kinds that end in List taken apart. Throws where a file cannot be read, a text is no YAML, or an object lacks apiVersion, kind or name. */
export async function readManifests(manifest: Manifest): Promise<NamedObject[]> {
  if (typeof manifest === 'string') return isText(manifest) ? parse(manifest, 'the text') : readPath(manifest)
  if (manifest instanceof URL) return readPath(fileURLToPath(manifest))
  if (Array.isArray(manifest)) return (await Promise.all((manifest as readonly Manifest[]).map(readManifests))).flat()
  return taken(manifest, 'the object')
}

function isText(text: string): boolean {
  return text.includes('\n') || /^\s*\{/.test(text)
}

async function readPath(path: string): Promise<NamedObject[]> {
  if (!(await stat(path)).isDirectory()) return parse(await readFile(path, 'utf8'), path)
  const files = (await readdir(path)).filter((name) => ['.yaml', '.yml', '.json'].includes(extname(name))).sort()
  return (await Promise.all(files.map(async (name) => parse(await readFile(join(path, name), 'utf8'), join(path, name))))).flat()
}

function parse(text: string, where: string): NamedObject[] {
  const documents = parseAllDocuments(text, { version: '1.1', schema: 'core' })
  return [...documents].flatMap((document, index) => {
    const [problem] = document.errors
    if (problem) throw new Error(`${where}: ${problem.message}`, { cause: problem })
    const value: unknown = document.toJS()
    return value === null || value === undefined ? [] : taken(value, documents.length > 1 ? `${where}, document ${index + 1}` : where)
  })
}

function taken(value: unknown, where: string): NamedObject[] {
  const object = value as { apiVersion?: unknown, kind?: unknown, metadata?: { name?: unknown }, items?: unknown }
  if (typeof value !== 'object' || value === null) throw new Error(`${where}: an object was expected, not ${JSON.stringify(value)}`)
  if (typeof object.kind === 'string' && object.kind.endsWith('List') && Array.isArray(object.items)) return object.items.flatMap((item, index) => taken(item, `${where}, item ${index}`))
  if (typeof object.apiVersion !== 'string' || object.apiVersion === '') throw new Error(`${where}: apiVersion not set`)
  if (typeof object.kind !== 'string' || object.kind === '') throw new Error(`${where}: kind not set`)
  if (typeof object.metadata?.name !== 'string' || object.metadata.name === '') throw new Error(`${where}: metadata.name not set`)
  return [value as NamedObject]
}
