import type { Json, JsonObject, ScalarSchema, StructSchema, TypeSchema } from '../../schema/index.ts'

/** Numbers from 0 to below 1 that are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** Good, odd and empty values of the scalars. */
const scalars: Readonly<Record<ScalarSchema['kind'], readonly Json[]>> = {
  string: ['a', '', 'Bad Value!', '/tmp/x', '10.0.0.1', 'fd00::1', '10.0.0.0/16', 'a.b/c', 'v1', '*', 'RuntimeDefault', 'Always'],
  boolean: [true, false],
  int32: [0, 1, -1, 80, 70_000],
  int64: [0, 1, -1, 4_000_000_000],
  float64: [0, 0.5],
  bytes: ['', 'eA=='],
  time: ['2026-01-01T00:00:00Z'],
  microTime: ['2026-01-01T00:00:00.000001Z'],
  duration: ['1s'],
  quantity: ['0', '1', '100m', '-1', '1Gi', '0.5', '1e3'],
  intOrString: [1, 0, '25%', 'http', '', '300%'],
}

/** An object of a kind with about `fill` of its fields, each with a value of its type that is not always a sensible one. What holds itself has fewer, the deeper it is. */
export function sample(schema: StructSchema, random: () => number, fill: number, above: readonly StructSchema[] = []): JsonObject {
  const object: JsonObject = {}
  const repeats = above.filter((one) => one === schema).length
  const share = repeats > 0 ? fill / (10 * repeats) : above.length > 6 ? fill / 3 : fill
  for (const [name, field] of schema.fields) if (random() < share) object[name] = value(field.type, random, fill, [...above, schema])
  return object
}

function value(type: TypeSchema, random: () => number, fill: number, above: readonly StructSchema[]): Json {
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)]
  switch (type.kind) {
    case 'any': return { a: 'b' }
    case 'union': return value(type.object, random, fill, above)
    case 'struct': return sample(type.struct, random, fill, above)
    case 'list': return Array.from({ length: Math.floor(random() * 3) }, () => value(type.item, random, fill, above))
    case 'map': return Object.fromEntries(['a', 'cpu', 'Bad Key!'].filter(() => random() < 0.5).map((key) => [key, random() < 0.1 ? null : value(type.value, random, fill, above)]))
    default: return pick(random() < 0.7 && type.enum ? type.enum : scalars[type.kind]) ?? null
  }
}
