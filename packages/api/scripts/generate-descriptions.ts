// Writes build/descriptions.json: the descriptions of types and fields, for `kubectl explain`, out of the declarations of the installed @kubernetes/client-node.
// node packages/api/scripts/generate-descriptions.ts  (the package's build; without it, documents have no descriptions)
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { packages } from '../src/schema/data/index.ts'
import { structOf } from '../src/schema/registry.ts'
import type { DescriptionTable } from '../src/openapi/descriptions.ts'

const models = path.join(path.dirname(fileURLToPath(import.meta.resolve('@kubernetes/client-node'))), 'gen/models')
const out = path.join(import.meta.dirname, '../build/descriptions.json')

/** `V1PodSpec`, or where several groups have a type of the name, `CoreV1Event`. */
function declarationOf(home: string, type: string): string | undefined {
  const [group = '', version = ''] = home.split('/')
  const capital = (s: string): string => s.charAt(0).toUpperCase() + s.slice(1)
  return [`${capital(group)}${capital(version)}${type}`, `${capital(version)}${type}`].map((name) => path.join(models, `${name}.d.ts`)).find((file) => fs.existsSync(file))
}

/** The text of a comment: the generator that wrote it escaped quotes. */
function textOf(comment: string): string {
  return comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd()).join('\n').trim().replace(/\\(['"])/g, '$1')
}

/** Reads the class's comment (under '') and each property's. The generator mangles some names; the class's own table tells the real ones. */
function read(text: string): Record<string, string> {
  const table: Record<string, string> = {}
  const of = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export declare class/.exec(text)
  if (of?.[1]) table[''] = textOf(of[1])
  for (const [, comment, name] of text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*'(\w+)'\??:/g)) if (comment && name) table[name] = textOf(comment)
  return table
}

const table: DescriptionTable = {}
for (const [home, { types }] of Object.entries(packages)) {
  for (const type of Object.keys(types)) {
    const file = declarationOf(home, type)
    if (!file) continue
    const found = read(fs.readFileSync(file, 'utf8'))
    const fields = structOf(home, type)?.fields ?? new Map()
    const entry: Record<string, string> = {}
    if (found['']) entry[''] = found['']
    for (const name of fields.keys()) {
      const text = found[name] ?? found[`_${name}`]
      if (text) entry[name] = text
    }
    if (Object.keys(entry).length > 0) table[`${home}.${type}`] = entry
  }
}
fs.mkdirSync(path.dirname(out), { recursive: true })
fs.writeFileSync(out, JSON.stringify(table))
console.log(`descriptions of ${Object.keys(table).length} types written to ${path.relative(process.cwd(), out)}`)
