// Random input that can be had again: a seed names a run, a number within it names a case.

/** A random number in [0, 1) each time (mulberry32). */
export type Random = () => number

export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** BERTH_FUZZ_SEED, or a new seed; print it. */
export function fuzzSeed(): number {
  return Number(process.env['BERTH_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
}

/** How many cases: BERTH_FUZZ_FACTOR times as many as in CI. */
export function fuzzCount(base: number): number {
  return Math.round(base * Number(process.env['BERTH_FUZZ_FACTOR'] ?? 1))
}

export const below = (random: Random, n: number): number => Math.floor(random() * n)
export const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)] as T

export const hostileKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'length', '', ' ', '.', '..', '/', '$patch', '$retainKeys', '$deleteFromPrimitiveList/finalizers', '$setElementOrder/containers',
  'metadata', 'name', 'spec', 'kind', 'items', 'null', '0', '-1', '日本', '\u0000', '\ud800', '\u202e', 'é́', 'x'.repeat(300), 'a.b/c', 'k8s.io/', '*', 'f:spec', 'k:{"a":1}', 'v:1', 'i:0', '.']

export const hostileStrings = [...hostileKeys, 'x'.repeat(70_000), '9'.repeat(400), '1e400', '-0', 'NaN', 'Infinity', '0x10', '1'.repeat(30) + 'Ki', '1e-400', '1Ei1', '2026-13-45T99:99:99Z', '0000-00-00T00:00:00Z', '+292277026596-12-04T15:30:08Z',
  '10.0.0.0/33', '::1', '256.1.1.1', '{{.x}}', '$(A)', '${jndi:x}', '%s%n%00', '../../etc/passwd', 'a,b', 'a=b', 'in (a)', '(((', '[', '\\', '"', "'", '\n', '\r\nX: y', '\u2028', '😀'.repeat(100), '{"a":', 'null', 'true', 'self.x', '==', 'AAAA', '=', '----']

export const hostileValues: readonly (() => unknown)[] = [
  () => null, () => true, () => 0, () => -1, () => 1.5, () => 2 ** 31, () => -(2 ** 63), () => 2 ** 64, () => 1e308, () => [], () => ({}), () => [null], () => [[]], () => ({ '': null }), () => [1, 'a', {}],
  () => nested(50), () => nestedList(50), () => Array.from({ length: 300 }, (_, i) => i), () => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i])),
]

export function nested(depth: number, key = 'a'): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = { [key]: value }
  return value
}

function nestedList(depth: number): unknown {
  let value: unknown = []
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

/** Any hostile JSON value. */
export function hostile(random: Random): unknown {
  return random() < 0.5 ? pick(random, hostileStrings) : pick(random, hostileValues)()
}

interface Place { holder: Record<string, unknown> | unknown[], key: string | number }

function places(value: unknown, out: Place[] = []): Place[] {
  if (value === null || typeof value !== 'object') return out
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    out.push({ holder: value as Record<string, unknown>, key })
    places((value as Record<string | number, unknown>)[key], out)
  }
  return out
}

/** A copy of a JSON value with up to four changes at random places. */
export function mutate(random: Random, value: unknown): unknown {
  const root = { value: structuredClone(value) }
  const times = 1 + below(random, 4)
  for (let i = 0; i < times; i++) {
    const all = places(root)
    const place = pick(random, all)
    const holder = place.holder as Record<string | number, unknown>
    const other = pick(random, all)
    switch (below(random, 8)) {
      case 0:
      case 1:
      case 2: set(holder, place.key, hostile(random)); break
      case 3: if (Array.isArray(holder)) holder.splice(Number(place.key), 1); else if (place.holder !== root) delete holder[place.key]; break
      case 4: set(holder, place.key, structuredClone((other.holder as Record<string | number, unknown>)[other.key])); break
      case 5: if (Array.isArray(holder)) holder.push(structuredClone(holder[place.key as number])); else if (place.holder !== root) set(holder, pick(random, hostileKeys), hostile(random)); break
      case 6: set(holder, place.key, [holder[place.key]]); break
      default: set(holder, place.key, { [pick(random, hostileKeys)]: holder[place.key] })
    }
  }
  return root.value
}

/** Sets an own property, `__proto__` too. */
function set(holder: Record<string | number, unknown>, key: string | number, value: unknown): void {
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true })
}

/** A copy of bytes with a few of them changed, cut, doubled or swapped. */
export function mutateBytes(random: Random, bytes: Uint8Array): Buffer {
  let out = Buffer.from(bytes)
  const times = 1 + below(random, 4)
  for (let i = 0; i < times && out.length > 0; i++) {
    const at = below(random, out.length)
    const length = below(random, Math.min(64, out.length - at)) + 1
    switch (below(random, 6)) {
      case 0: out[at] = below(random, 256); break
      case 1: out[at] = (out[at] ?? 0) ^ (1 << below(random, 8)); break
      case 2: out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]); break
      case 3: out = Buffer.concat([out.subarray(0, at + length), out.subarray(at, at + length), out.subarray(at + length)]); break
      case 4: out = out.subarray(0, at); break
      default: out = Buffer.concat([out.subarray(0, at), Buffer.from(Array.from({ length }, () => below(random, 256))), out.subarray(at)])
    }
  }
  return out
}

/** A smaller input that still fails: pieces are left out as long as it does, with at most so many tries. */
export async function shrink(bytes: Buffer, fails: (smaller: Buffer) => Promise<boolean>, tries = 60): Promise<Buffer> {
  let best = bytes
  for (let piece = Math.ceil(best.length / 2); piece >= 1 && tries > 0; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < best.length && tries > 0; tries--) {
      const smaller = Buffer.concat([best.subarray(0, at), best.subarray(at + piece)])
      if (await fails(smaller)) best = smaller
      else at += piece
    }
  }
  return best
}
