const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** A text in characters that cannot spell a word (upstream's SafeEncodeString). */
export function safeEncode(text: string): string {
  let encoded = ''
  for (const character of text) encoded += alphabet.charAt(character.charCodeAt(0) % alphabet.length)
  return encoded
}

/** A short name for a value's content: FNV-1a over its JSON with sorted keys, the same in every process. `collisions` makes it another one. */
export function contentHash(value: unknown, collisions = 0): string {
  const text = canonicalJson(value) + (collisions > 0 ? `/${collisions}` : '')
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return safeEncode(String(hash))
}

/** JSON with keys in order and without what is absent or empty: equal for values that mean the same to Kubernetes. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonical(value)) ?? 'null'
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(canonical)
  if (typeof value !== 'object' || value === null) return value ?? undefined
  const entries = Object.entries(value).map(([key, inner]) => [key, canonical(inner)] as const).filter(([, inner]) => inner !== undefined)
  // An empty object can be meaningful (emptyDir: {}), so it stays; an empty list never is.
  return Object.fromEntries(entries.toSorted(([a], [b]) => a < b ? -1 : 1))
}
