import type { Frontend, ServiceRules } from '../services/frontends.ts'
import { type Actual, emptyActual, mapNames } from './actual.ts'
import { chainRules } from './chains.ts'
import { type Element, frontendElements, type Placement, serviceElements } from './elements.ts'
import { baseRuleCounts, createTable, type MapName, tableName, type TableSettings, versionChain } from './table.ts'

/** More elements than this in one command make nft slow to parse. */
const elementsPerCommand = 1000

/**
 * What the table should be, service by service, and what it is. Pure: it is told services and what was read of the kernel, and gives nft commands. Elements are counted
 * by their owners (services, frontends), so a change costs what it touches and not the size of the table.
 */
export class ProxyModel {
  readonly #settings: TableSettings
  readonly #services = new Map<string, ServiceRules>()
  /** Frontends by key; more than one service may want the same (an external IP): the first by name has it. */
  readonly #claims = new Map<string, Map<string, Frontend>>()
  readonly #owned = new Map<string, Element[]>()
  readonly #wanted = new Map<MapName, Map<string, { value: string; owners: number }>>(mapNames().map((name) => [name, new Map()]))
  #touched = new Map<MapName, Set<string>>(mapNames().map((name) => [name, new Set()]))
  #stale = new Set<string>()
  #actual: Actual | undefined

  constructor(settings: TableSettings) {
    this.#settings = settings
  }

  /** Whether commands() has something to say. */
  get dirty(): boolean {
    return this.#actual === undefined || this.#stale.size > 0 || [...this.#touched.values()].some((keys) => keys.size > 0)
  }

  /** A service's rules now; undefined: it is gone, or none of ours. Gives whether anything about it changed. */
  setService(name: string, rules: ServiceRules | undefined): boolean {
    const before = this.#services.get(name)
    if (JSON.stringify(before) === JSON.stringify(rules)) return false
    if (rules) this.#services.set(name, rules)
    else this.#services.delete(name)
    const keys = new Set([...(before?.frontends ?? []), ...(rules?.frontends ?? [])].map((frontend) => frontend.key))
    const now = new Map(rules?.frontends.map((frontend) => [frontend.key, frontend]))
    for (const key of keys) {
      const claims = this.#claims.get(key) ?? new Map<string, Frontend>()
      const frontend = now.get(key)
      if (frontend) claims.set(name, frontend)
      else claims.delete(name)
      if (claims.size > 0) this.#claims.set(key, claims)
      else this.#claims.delete(key)
      this.#stale.add(key)
    }
    this.#own(`service ${name}`, rules ? serviceElements(rules) : [])
    return true
  }

  serviceNames(): string[] {
    return [...this.#services.keys()]
  }

  rules(name: string): ServiceRules | undefined {
    return this.#services.get(name)
  }

  /** The frontend that is served at a key. */
  frontend(key: string): Frontend | undefined {
    const claims = this.#claims.get(key)
    const first = claims && [...claims.keys()].toSorted()[0]
    return first === undefined ? undefined : claims?.get(first)
  }

  frontendKeys(): IterableIterator<string> {
    return this.#claims.keys()
  }

  /** Tells what was read of the kernel: undefined (no table, or unknown) makes commands() build everything anew. */
  setActual(actual: Actual | undefined): void {
    this.#actual = actual && this.#usable(actual) ? actual : undefined
    for (const [map, elements] of this.#wanted) this.#touched.set(map, new Set([...elements.keys(), ...(this.#actual?.elements.get(map)?.keys() ?? [])]))
    this.#stale = new Set(this.#claims.keys())
  }

  /**
   * The commands that bring the table to what it should be, in one transaction, and `done`: to be called when the kernel has taken them. Changes told in between count
   * for the next time. If the kernel refuses them, setActual() must be called, which starts over.
   */
  commands(): { commands: string[]; done: () => void } {
    const create = this.#actual === undefined
    const actual = this.#actual ?? emptyActual()
    const before = placementIn(actual)
    const stale = this.#stale
    this.#stale = new Set()
    for (const key of stale) {
      const frontend = this.frontend(key)
      this.#own(`frontend ${key}`, frontend ? frontendElements(frontend, before, this.#settings.masqueradeMark) : [])
    }
    const touched = this.#touched
    this.#touched = new Map(mapNames().map((name) => [name, new Set()]))
    const remove = new Map<MapName, string[]>()
    const add = new Map<MapName, [string, string][]>()
    const chains = new Map<string, number>()
    for (const map of mapNames()) {
      const wanted = this.#wanted.get(map)
      const have = actual.elements.get(map)
      // All of them when the table is new: what was touched is then not the whole.
      for (const key of create ? (wanted?.keys() ?? []) : (touched.get(map) ?? [])) {
        const want = wanted?.get(key)?.value
        const old = have?.get(key)
        if (want === old) continue
        if (old !== undefined) push(remove, map, key)
        if (want !== undefined) push(add, map, [key, want])
        const rules = map === 'services' && want !== undefined ? chainRules(want.slice('goto '.length), this.#settings) : undefined
        if (rules && want !== undefined && !actual.chains.has(want.slice('goto '.length))) chains.set(want.slice('goto '.length), rules.length)
      }
    }
    const commands = create ? createTable(this.#settings) : []
    for (const chain of chains.keys()) {
      commands.push(`add chain ip ${tableName} ${chain}`)
      for (const rule of chainRules(chain, this.#settings) ?? []) commands.push(`add rule ip ${tableName} ${chain} ${rule}`)
    }
    for (const [map, keys] of remove) for (const part of chunks(keys)) commands.push(`delete element ip ${tableName} ${map} { ${part.join(', ')} }`)
    for (const [map, pairs] of add) {
      for (const part of chunks(pairs)) commands.push(`add element ip ${tableName} ${map} { ${part.map(([key, value]) => (value === '' ? key : `${key} : ${value}`)).join(', ')} }`)
    }
    const unused = this.#unusedChains(actual)
    for (const chain of unused) commands.push(`delete chain ip ${tableName} ${chain}`)
    const done = (): void => {
      for (const [map, keys] of remove) for (const key of keys) actual.elements.get(map)?.delete(key)
      for (const [map, pairs] of add) for (const [key, value] of pairs) actual.elements.get(map)?.set(key, value)
      for (const [name, rules] of create ? [...baseRuleCounts(this.#settings), ...chains] : chains) actual.chains.set(name, rules)
      for (const chain of unused) actual.chains.delete(chain)
      this.#actual = actual
    }
    return { commands, done }
  }

  // A table of another version or settings, or one whose chains somebody changed, is built anew.
  #usable(actual: Actual): boolean {
    const base = baseRuleCounts(this.#settings)
    if (!actual.chains.has(versionChain(this.#settings))) return false
    return [...base].every(([name, rules]) => actual.chains.get(name) === rules) &&
      [...actual.chains].every(([name, rules]) => base.has(name) || chainRules(name, this.#settings)?.length === rules)
  }

  // Chains are few and cost nothing while idle: they go when some dozens have gathered.
  #unusedChains(actual: Actual): string[] {
    const base = baseRuleCounts(this.#settings)
    const idle = [...actual.chains.keys()].filter((name) => !base.has(name))
    if (idle.length < 64) return []
    const used = new Set([...(this.#wanted.get('services')?.values() ?? [])].map((element) => element.value.slice('goto '.length)))
    return idle.filter((name) => !used.has(name))
  }

  #own(owner: string, elements: Element[]): void {
    for (const { map, key, value } of elements) {
      const wanted = this.#wanted.get(map)
      const element = wanted?.get(key)
      wanted?.set(key, { value, owners: (element?.owners ?? 0) + 1 })
      if (element?.value !== value) this.#touched.get(map)?.add(key)
    }
    for (const { map, key } of this.#owned.get(owner) ?? []) {
      const wanted = this.#wanted.get(map)
      const element = wanted?.get(key)
      if (!element) continue
      element.owners--
      if (element.owners > 0) continue
      wanted?.delete(key)
      this.#touched.get(map)?.add(key)
    }
    if (elements.length > 0) this.#owned.set(owner, elements)
    else this.#owned.delete(owner)
  }
}

function placementIn(actual: Actual): Placement {
  const endpoints = actual.elements.get('endpoints')
  let byFrontend: Map<string, Map<number, string>> | undefined
  return {
    endpoint: (key) => endpoints?.get(key),
    marks(frontend) {
      byFrontend ??= groupMarks(actual)
      return byFrontend.get(frontend) ?? new Map()
    },
  }
}

function groupMarks(actual: Actual): Map<string, Map<number, string>> {
  const groups = new Map<string, Map<number, string>>()
  for (const [key, endpoint] of actual.elements.get('affinity_endpoints') ?? []) {
    const at = key.lastIndexOf(' . ')
    const group = groups.get(key.slice(0, at)) ?? new Map<number, string>()
    groups.set(key.slice(0, at), group.set(Number(key.slice(at + 3)), endpoint))
  }
  return groups
}

function push<K, V>(into: Map<K, V[]>, key: K, value: V): void {
  const list = into.get(key)
  if (list) list.push(value)
  else into.set(key, [value])
}

function* chunks<T>(list: T[]): Iterable<T[]> {
  for (let i = 0; i < list.length; i += elementsPerCommand) yield list.slice(i, i + elementsPerCommand)
}
