import { regexFactor, listBase, stringFactor, structBase } from '../functions/cost.ts'
import { add, exactly, multiply, one, scale, unbounded, union, unknown, upTo } from './range.ts'
import type { Range } from './range.ts'
import type { Overload } from '../functions/overload.ts'
import type { Expr } from '../parse/ast.ts'
import type { CelType } from '../types/types.ts'

/** An argument of a call as its estimate sees it. */
export interface Argument {
  readonly type: CelType
  readonly expr?: Expr
  /** Where in the variables the value comes from. */
  readonly path?: readonly string[]
  readonly size: Range
}

/** What a call costs beyond its arguments, and how large its result may be. */
export interface CallEstimate {
  readonly cost: Range
  readonly size?: Range
}

/** One call: the receiver apart from the arguments, and the size of what the elements of a list are. */
export interface Call {
  readonly overload: Overload
  readonly target: Argument | undefined
  readonly args: readonly Argument[]
  element(list: Argument): Argument | undefined
}

type Estimator = (call: Call) => CallEstimate | undefined

const read = (range: Range, times = 1): Range => scale(range, times * stringFactor)
const regex = (text: Range, pattern: Range): Range => multiply(read(add(text, one)), scale(pattern, regexFactor))
const fixed = (cost: number): Estimator => () => ({ cost: exactly(cost) })

// The library's functions that make lists cost what they visit, the call and the list.
const listCall = (visited: Range, factor: number): CallEstimate => ({ cost: add(scale(visited, factor), one, exactly(listBase)), size: visited })

const integerOf = ({ expr }: Argument, otherwise: bigint): bigint => {
  if (expr?.kind !== 'literal' || typeof expr.value !== 'bigint') return otherwise
  return expr.value < 0n ? 0n : expr.value
}

const readsFirst = (times = 1, sized = false): Estimator => ({ args: [first] }) =>
  first === undefined ? undefined : { cost: read(first.size, times), ...(sized ? { size: first.size } : {}) }

const readsTarget: Estimator = ({ target }) => target === undefined ? undefined : { cost: read(target.size), size: target.size }

const visitsElements: Estimator = call => {
  const { target } = call
  if (target === undefined) return undefined
  const element = call.element(target)
  if (element === undefined) return { cost: read(target.size) }
  const text = element.type.kind === 'string' || element.type.kind === 'bytes'
  return { cost: multiply(target.size, text ? add(one, read(element.size)) : one) }
}

const replace: Estimator = ({ target, args: [from, to] }) => {
  if (target === undefined || from === undefined || to === undefined) return undefined
  return { cost: read(target.size, 2), size: { min: shortest(target.size, from.size, to.size), max: longest(target.size, from.size, to.size) } }
}

// Goes around every character where nothing is replaced; else replaces as often as there is room for it.
function longest(text: Range, from: Range, to: Range): bigint {
  if (from.min === 0n) return add(multiply(upTo(text.max < unbounded ? text.max + 1n : text.max), to), upTo(text.max)).max
  if (to.max <= from.min) return text.max
  return multiply(upTo(BigInt(Math.ceil(Number(text.max) / Number(from.min)))), to).max
}

function shortest(text: Range, from: Range, to: Range): bigint {
  if (from.max === 0n) return (text.min + 1n) * to.min + text.min
  if (from.max <= to.min) return text.min
  return BigInt(Math.ceil(Number(text.min) / Number(from.max))) * to.min
}

const split: Estimator = ({ target, args }) => {
  if (target === undefined) return undefined
  const limit = args[1]?.expr
  const most = limit?.kind === 'literal' && typeof limit.value === 'bigint' ? BigInt.asUintN(64, limit.value) : target.size.max
  return { cost: read(target.size, 2), size: upTo(most) }
}

const less = (value: bigint): bigint => value > 0n ? value - 1n : 0n

const join: Estimator = call => {
  const { target, args: [separator] } = call
  if (target === undefined) return undefined
  const element = call.element(target)
  const parts = element === undefined ? upTo(0) : multiply(target.size, element.size)
  const between = separator === undefined ? upTo(0) : multiply(separator.size, { min: less(target.size.min), max: less(target.size.max) })
  const size = add(parts, between)
  return { cost: read(size), size }
}

const find: Estimator = ({ target, args: [pattern] }) =>
  target === undefined || pattern === undefined ? undefined : { cost: regex(target.size, pattern.size), size: upTo(target.size.max) }

const address: Range = { min: 4n, max: 16n }
const textToo = ({ overload, args: [first] }: Call): Range => overload.params[1]?.kind === 'string' && first !== undefined ? read(first.size) : upTo(0)

const selector: Estimator = ({ args: [first] }) => {
  if (first === undefined) return undefined
  return { cost: add(exactly(listBase), read(first.size), scale(scale(first.size, 2 * regexFactor), listBase + structBase)) }
}

const formatRegexSize = 128

const sets = (factor: number): Estimator => ({ args: [first, second] }) =>
  first === undefined || second === undefined ? undefined : { cost: add(scale(multiply(first.size, second.size), factor), one) }

const sorted = (list: Argument | undefined, type: CelType | undefined): CallEstimate | undefined => {
  if (list === undefined) return undefined
  const element = type?.kind === 'list' ? type.element.kind : undefined
  return listCall(multiply(list.size, list.size), element === 'string' || element === 'bytes' ? 2 + stringFactor : 2)
}

/** Kubernetes' own estimates, by the name of the function. */
const byName: Readonly<Record<string, Estimator>> = {
  'check': fixed(350_000),
  'fieldSelector': selector,
  'labelSelector': selector,
  'isSorted': visitsElements, 'sum': visitsElements, 'max': visitsElements, 'min': visitsElements, 'indexOf': visitsElements, 'lastIndexOf': visitsElements,
  'url': readsFirst(1, true), 'jsonpatch.escapeKey': readsFirst(1, true),
  'lowerAscii': readsTarget, 'upperAscii': readsTarget, 'substring': readsTarget, 'trim': readsTarget,
  replace, split, join, find, 'findAll': find,
  'cidr': readsFirst(), 'isIP': readsFirst(), 'isCIDR': readsFirst(), 'quantity': readsFirst(), 'isQuantity': readsFirst(), 'semver': readsFirst(), 'isSemver': readsFirst(),
  'ip': call => call.target === undefined ? readsFirst()(call) : { cost: one },
  'ip.isCanonical': readsFirst(2),
  'containsIP': call => ({ cost: add(read(add(address, address)), textToo(call)) }),
  'containsCIDR': call => ({ cost: add(read(add(address, address)), read(address), one, textToo(call)) }),
  'validate': ({ args: [first] }) => first === undefined ? undefined : { cost: scale(read(first.size), formatRegexSize * regexFactor) },
  'slice': ({ target, args: [start, end] }) => {
    if (target === undefined || start === undefined || end === undefined) return undefined
    return listCall(exactly(BigInt.asUintN(64, integerOf(end, target.size.max) - integerOf(start, 0n))), 1)
  },
  'flatten': ({ target, args: [depth] }) => target === undefined ? undefined : listCall(target.size, Number(depth === undefined ? 1n : integerOf(depth, unbounded))),
  'lists.range': ({ args: [count] }) => count === undefined ? undefined : listCall(exactly(integerOf(count, unbounded)), 1),
  'reverse': ({ target }) => target === undefined ? undefined : listCall(target.size, 1),
  'distinct': ({ target }) => target === undefined ? undefined : listCall(multiply(target.size, target.size), 2),
  'sort': ({ target, overload }) => sorted(target, overload.params[0]),
  '@sortByAssociatedKeys': ({ args: [keys], overload }) => sorted(keys, overload.params[1]),
  'sets.contains': sets(1), 'sets.intersects': sets(1), 'sets.equivalent': sets(2),
  'includes': fixed(64),
}

const constantEquality = new Set(['net.IP', 'net.CIDR', 'kubernetes.Quantity', 'kubernetes.Semver', 'kubernetes.authorization.Authorizer', 'kubernetes.authorization.PathCheck',
  'kubernetes.authorization.GroupCheck', 'kubernetes.authorization.ResourceCheck', 'kubernetes.authorization.Decision'])
const formatSize = 64

function equality(first: Argument, second: Argument): CallEstimate | undefined {
  if (first.type.kind !== 'opaque' || second.type.kind !== 'opaque' || first.type.name !== second.type.name) return undefined
  if (constantEquality.has(first.type.name)) return { cost: one }
  if (first.type.name === 'kubernetes.NamedFormat') return { cost: read({ min: 1n, max: BigInt(formatSize) }) }
  // The size of a URL that is not known counts as one.
  if (first.type.name === 'kubernetes.URL') return { cost: read({ min: 1n, max: second.size.max === unbounded ? 1n : second.size.max }) }
  return undefined
}

function compared(first: Argument, second: Argument): CallEstimate {
  const most = first.size.max < second.size.max ? first.size.max : second.size.max
  return { cost: read({ min: most > 0n ? 1n : 0n, max: most }) }
}

const comparison: Estimator = ({ overload, args: [first, second] }) => {
  const kind = overload.params[0]?.kind
  if (kind !== 'string' && kind !== 'bytes' || first === undefined || second === undefined) return undefined
  return compared(first, second)
}

const wrapped = (value: bigint): bigint => BigInt.asUintN(64, value)

/** The estimates of the language itself. */
const ofLanguage: Readonly<Record<string, Estimator>> = {
  'format': ({ target }) => target === undefined ? undefined : { cost: read(target.size) },
  'bytes': ({ overload, args: [first] }) => overload.params[0]?.kind !== 'string' || first === undefined ? undefined
    : { cost: read(first.size), size: { min: first.size.min, max: wrapped(first.size.max * 4n) } },
  'string': ({ overload, args: [first] }) => overload.params[0]?.kind !== 'bytes' || first === undefined ? undefined
    : { cost: read(first.size), size: { min: first.size.min / 4n, max: first.size.max } },
  'strings.quote': ({ args: [first] }) => first === undefined ? undefined
    : { cost: read(first.size), size: { min: wrapped(first.size.min + 2n), max: wrapped(first.size.max * 2n + 2n) } },
  'startsWith': readsFirst(), 'endsWith': readsFirst(),
  '@in': ({ overload, args: [, list] }) => overload.params[1]?.kind !== 'list' || list === undefined ? undefined : { cost: list.size },
  'matches': ({ target, args: [pattern] }) => target === undefined || pattern === undefined ? undefined : { cost: regex(target.size, pattern.size) },
  'contains': ({ target, args: [part] }) => target === undefined || part === undefined ? undefined : { cost: multiply(read(target.size), read(part.size)) },
  '_+_': ({ overload, args: [first, second] }) => {
    const kind = overload.params[0]?.kind
    if (kind !== 'string' && kind !== 'bytes' && kind !== 'list' || first === undefined || second === undefined) return undefined
    const size = add(first.size, second.size)
    return { cost: kind === 'list' ? one : read(size), size }
  },
  '_<_': comparison, '_<=_': comparison, '_>_': comparison, '_>=_': comparison,
  '_==_': ({ args: [first, second] }) => first === undefined || second === undefined ? undefined : equality(first, second) ?? compared(first, second),
  '_!=_': ({ args: [first, second] }) => first === undefined || second === undefined ? undefined : compared(first, second),
}

/** Estimates one overload of a call. What is not told of costs one. */
export function estimateCall(name: string, call: Call): CallEstimate {
  const own = Object.hasOwn(byName, name) ? byName[name]?.(call) : undefined
  return own ?? (Object.hasOwn(ofLanguage, name) ? ofLanguage[name]?.(call) : undefined) ?? { cost: one }
}

/** The size of both branches of `?:`. */
export function eitherSize(a: Range | undefined, b: Range | undefined): Range {
  return union(a ?? unknown, b ?? unknown)
}
