// Plain JSON values: copying and comparing.

/** A deep copy of a JSON value (bigint included). */
export function cloneValue<T>(value: T): T {
  if (Array.isArray(value)) return value.map((v: unknown) => cloneValue(v)) as T
  if (value !== null && typeof value === 'object') {
    const out: Record<string, unknown> = {}
    for (const key of Object.keys(value)) {
      const copy = cloneValue((value as Record<string, unknown>)[key])
      // A plain assignment of this key would set the prototype.
      if (key === '__proto__') Object.defineProperty(out, key, { value: copy, writable: true, enumerable: true, configurable: true })
      else out[key] = copy
    }
    return out as T
  }
  return value
}

/** Deep equality of JSON values; a key with undefined is an absent key. */
export function equalValues(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((v, i) => equalValues(v, b[i]))
  }
  const x = a as Record<string, unknown>
  const y = b as Record<string, unknown>
  for (const key of Object.keys(x)) if (x[key] !== undefined && !equalValues(x[key], y[key])) return false
  for (const key of Object.keys(y)) if (y[key] !== undefined && x[key] === undefined) return false
  return true
}

/** An object that is not an array, else undefined. */
export function asRecord(value: unknown): Record<string, unknown> | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value as Record<string, unknown> : undefined
}

/** The value at a path of object keys. */
export function valueAt(value: unknown, ...path: string[]): unknown {
  let at: unknown = value
  for (const key of path) at = asRecord(at)?.[key]
  return at
}

/** A string at a path, '' when there is none. */
export function stringAt(value: unknown, ...path: string[]): string {
  const found = valueAt(value, ...path)
  return typeof found === 'string' ? found : ''
}

/** `2026-11-21T13:30:00Z`: metav1.Time. */
export function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}

/** What a table has under a key that a client chose: `constructor` and the like are not in it. */
export function entryOf<T>(table: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined
}
