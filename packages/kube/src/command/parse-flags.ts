import type { FlagSpec, FlagSpecs } from './command.ts'
import { parseDuration } from './duration.ts'

export type ParsedValue = string | boolean | number | string[] | undefined

/** What a command line said. `values` holds every flag, by its declared name. */
export interface ParsedFlags {
  values: Record<string, ParsedValue>
  positionals: string[]
  given: Set<string>
}

/** A wrong command line, worded as pflag words it. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
}

/**
 * Parses a command line as upstream's components do (pflag): `--flag value`, `--flag=value`, `--bool`, `--bool=false`, `-v4`, `-v=4`, `-v 4`,
 * `--` ends the flags, `_` in a name counts as `-`. Lists split at commas and add up. Throws {@link FlagError}.
 */
export function parseFlags(specs: FlagSpecs, argv: readonly string[]): ParsedFlags {
  const values: Record<string, ParsedValue> = {}
  for (const [name, spec] of Object.entries(specs)) values[name] = defaultOf(spec)
  const parsed: ParsedFlags = { values, positionals: [], given: new Set() }
  const rest = [...argv]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      parsed.positionals.push(...rest)
      break
    }
    if (arg.startsWith('--')) parseLong(specs, parsed, arg, rest)
    else if (arg.startsWith('-') && arg !== '-') parseShort(specs, parsed, arg, rest)
    else parsed.positionals.push(arg)
  }
  return parsed
}

function parseLong(specs: FlagSpecs, parsed: ParsedFlags, arg: string, rest: string[]): void {
  const body = arg.slice(2)
  const at = body.indexOf('=')
  const written = at < 0 ? body : body.slice(0, at)
  if (written === '' || written.startsWith('-')) throw new FlagError(`bad flag syntax: ${arg}`)
  const name = written.replaceAll('_', '-')
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
  if (spec === undefined) throw new FlagError(`unknown flag: --${written}`)
  if (at >= 0) return assign(parsed, name, spec, body.slice(at + 1))
  if (spec.type === 'boolean') return assign(parsed, name, spec, 'true')
  const value = rest.shift()
  if (value === undefined) throw new FlagError(`flag needs an argument: --${written}`)
  assign(parsed, name, spec, value)
}

function parseShort(specs: FlagSpecs, parsed: ParsedFlags, arg: string, rest: string[]): void {
  for (let letters = arg.slice(1); letters !== '';) {
    const letter = letters.charAt(0)
    const tail = letters.slice(1)
    const found = Object.entries(specs).find(([, spec]) => spec.short === letter)
    if (found === undefined) throw new FlagError(`unknown shorthand flag: '${letter}' in ${arg}`)
    const [name, spec] = found
    if (tail.startsWith('=')) return assign(parsed, name, spec, tail.slice(1))
    if (spec.type === 'boolean') {
      assign(parsed, name, spec, 'true')
      letters = tail
      continue
    }
    const value = tail === '' ? rest.shift() : tail
    if (value === undefined) throw new FlagError(`flag needs an argument: '${letter}' in ${arg}`)
    return assign(parsed, name, spec, value)
  }
}

function assign(parsed: ParsedFlags, name: string, spec: FlagSpec, text: string): void {
  let value: ParsedValue
  try {
    value = convert(spec, text)
  } catch (error) {
    const shown = spec.short === undefined ? `--${name}` : `-${spec.short}, --${name}`
    throw new FlagError(`invalid argument ${JSON.stringify(text)} for ${JSON.stringify(shown)} flag: ${(error as Error).message}`)
  }
  const before = parsed.values[name]
  // The first mention of a list replaces its default, later ones add to it.
  parsed.values[name] = Array.isArray(value) && Array.isArray(before) && parsed.given.has(name) ? [...before, ...value] : value
  parsed.given.add(name)
}

function convert(spec: FlagSpec, text: string): ParsedValue {
  switch (spec.type) {
    case 'string': return text
    case 'string[]': return text === '' ? [] : text.split(',')
    case 'duration': return parseDuration(text)
    case 'boolean':
      if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
      if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false
      throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
    case 'number':
      if (!/^[+-]?(0[xX][0-9a-fA-F]+|\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
      return Number(text)
  }
}

function defaultOf(spec: FlagSpec): ParsedValue {
  const given = spec.default
  if (spec.type === 'duration' && typeof given === 'string') return parseDuration(given)
  if (Array.isArray(given)) return [...given as readonly string[]]
  if (given !== undefined) return given as ParsedValue
  if (spec.type === 'boolean') return false
  if (spec.type === 'string[]') return []
  return undefined
}
