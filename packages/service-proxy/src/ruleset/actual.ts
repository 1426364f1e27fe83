import { type MapName, maps } from './table.ts'

/** The table as it is: the elements of each of our maps and the chains with their number of rules. */
export interface Actual {
  elements: Map<MapName, Map<string, string>>
  chains: Map<string, number>
}

export function emptyActual(): Actual {
  return { elements: new Map(mapNames().map((name) => [name, new Map()])), chains: new Map() }
}

export function mapNames(): MapName[] {
  return Object.keys(maps) as MapName[]
}

/** Reads what `nft list table` prints. Blocks of other names are passed over. */
export function parseListing(text: string): Actual {
  const actual = emptyActual()
  for (const block of text.matchAll(/^\t(map|set|chain) (\S+) \{\n([\s\S]*?)^\t\}/gm)) {
    const [, kind, name = '', body = ''] = block
    if (kind === 'chain') actual.chains.set(name, body.split('\n').filter((line) => line.trim() !== '' && !/^\s*type \S+ hook /.test(line)).length)
    const into = mapNames().find((known) => known === name)
    const list = /elements = \{([\s\S]*)\}/.exec(body)?.[1]
    if (kind === 'chain' || !into || list === undefined) continue
    const elements = actual.elements.get(into)
    for (const item of list.split(',')) {
      const [key = '', value = ''] = item.split(' : ').map((part) => part.trim())
      if (key !== '') elements?.set(key, value)
    }
  }
  return actual
}
