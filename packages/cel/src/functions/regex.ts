import { RE2JS } from 're2js'
import { CelEvaluationError } from '../errors.ts'
import { matchCost } from './cost.ts'
import { overload } from './overload.ts'
import { listOf } from '../values/containers.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'

const compiled = new Map<string, RE2JS>()
const maxCompiled = 1000

/** A pattern in RE2's syntax, compiled once. Throws the engine's error, which names what is wrong as Go's does. */
export function compileRegex(pattern: string): RE2JS {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  const regex = RE2JS.compile(pattern)
  if (compiled.size >= maxCompiled) compiled.clear()
  compiled.set(pattern, regex)
  return regex
}

function withRegex<T>(pattern: string, prefix: string, use: (regex: RE2JS) => T): T {
  let regex: RE2JS
  try {
    regex = compileRegex(pattern)
  } catch (error) {
    throw new CelEvaluationError(`${prefix}${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return use(regex)
}

const matches = (text: string, pattern: string): boolean => withRegex(pattern, '', regex => regex.matcher(text).find())

function find(text: string, pattern: string): string {
  return withRegex(pattern, 'Illegal regex: ', regex => {
    const matcher = regex.matcher(text)
    return matcher.find() ? matcher.group() ?? '' : ''
  })
}

function findAll(text: string, pattern: string, limit: bigint): Value {
  return withRegex(pattern, 'Illegal regex: ', regex => {
    const found: string[] = []
    const matcher = regex.matcher(text)
    while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) found.push(matcher.group() ?? '')
    return listOf(found)
  })
}

/** The pattern argument of the functions that take one. */
export const patternFunctions: readonly string[] = ['matches', 'find', 'findAll']

/** `matches` of the language, and Kubernetes' `find` and `findAll`. The syntax is RE2's, and matching takes linear time. */
export const regexes: readonly Overload[] = [
  overload('matches(string, string): bool', matches, undefined),
  overload('string->matches(string): bool', matches, matchCost),
  overload('string->find(string): string', find, matchCost),
  overload('string->findAll(string): list(string)', (text: string, pattern: string) => findAll(text, pattern, -1n), matchCost),
  overload('string->findAll(string, int): list(string)', findAll, matchCost),
]
