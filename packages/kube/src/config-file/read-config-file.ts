import { readFile } from 'node:fs/promises'
import { checkShape } from './check-shape.ts'
import type { Shape } from './shape.ts'

/** A configuration file that cannot be used. The message names the file and each field that is wrong. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError'
}

export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

/**
 * Reads a component's configuration file (YAML or JSON, one document) strictly: another kind, an unknown field, a key given twice or a
 * wrong type is a {@link ConfigFileError}. Durations and quantities stay strings. Defaults are the caller's.
 */
export async function readConfigFile<T>(path: string, gvk: GroupVersionKind, shape: Shape): Promise<T> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new ConfigFileError(`failed to load config file ${path}: ${(error as Error).message}`, { cause: error })
  }
  return parseConfig(text, path, gvk, shape)
}

/** As {@link readConfigFile}, from a text that came from `source`. */
export async function parseConfig<T>(text: string, source: string, gvk: GroupVersionKind, shape: Shape): Promise<T> {
  const fail = (reason: string, cause?: unknown): never => { throw new ConfigFileError(`${source}: ${reason}`, { cause }) }
  let value: unknown
  try {
    value = await parseYaml(text)
  } catch (error) {
    return fail((error as Error).message, error)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('the document is not an object')
  const { apiVersion, kind, ...fields } = value as Record<string, unknown>
  if (typeof kind !== 'string' || kind === '') return fail("Object 'Kind' is missing")
  if (typeof apiVersion !== 'string' || apiVersion === '') return fail("Object 'apiVersion' is missing")
  const wanted = gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`
  if (apiVersion !== wanted || kind !== gvk.kind) return fail(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}: expected ${gvk.kind} of ${wanted}`)
  const problems = checkShape(shape, fields)
  if (problems.length > 0) return fail(`strict decoding error: ${problems.join(', ')}`)
  return value as T
}

/** One YAML 1.1 document (what Kubernetes' files are) as plain data. Keys given twice are an error. Throws with line and column. */
export async function parseYaml(text: string): Promise<unknown> {
  const yaml = await import('yaml')
  const documents = yaml.parseAllDocuments(text, { version: '1.1', uniqueKeys: true, prettyErrors: true })
  if (!Array.isArray(documents)) return undefined
  const filled = documents.filter((document) => document.contents !== null)
  if (filled.length > 1) throw new Error('more than one document')
  const [document] = filled
  const error = document?.errors[0]
  if (error !== undefined) throw new Error(error.message.split('\n')[0] ?? error.message)
  return document?.toJS({ maxAliasCount: 100 })
}
