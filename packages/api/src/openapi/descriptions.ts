import fs from 'node:fs'
import path from 'node:path'

/** The description of a type (`field` empty) or of a field; undefined where there is none. */
export type Descriptions = (home: string, type: string, field: string) => string | undefined

/** What the build writes (scripts/generate-descriptions.ts): by package and type, the type's own text under `''` and its fields'. */
export type DescriptionTable = Record<string, Record<string, string>>

/** What the package's build writes, seen from the sources; beside a bundle; and seen from a bundle in the workspace. */
const places = ['../../build/descriptions.json', 'descriptions.json', '../../api/build/descriptions.json']

/** Reads the descriptions that the build wrote. They are needed only while a document is made, so they are not kept. */
export function readDescriptions(): Descriptions {
  for (const place of places) {
    const file = path.join(import.meta.dirname, place)
    if (!fs.existsSync(file)) continue
    const table = JSON.parse(fs.readFileSync(file, 'utf8')) as DescriptionTable
    return (home, type, field) => table[`${home}.${type}`]?.[field]
  }
  return () => undefined
}
