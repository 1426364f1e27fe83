import { isObject } from '../decode/values.ts'
import type { Json } from '../schema/model.ts'

type Step =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'all' }
  | { readonly type: 'descend'; readonly name: string }
  | { readonly type: 'slice'; readonly from: number | undefined; readonly to: number | undefined; readonly one: boolean }
  | { readonly type: 'filter'; readonly path: readonly Step[]; readonly operator: string; readonly value: Json | undefined }

/** A path that cannot be read; the message says why. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError'
}

/**
 * Reads a JSONPath as printer columns and selectable fields have it (kubernetes.io/docs/reference/kubectl/jsonpath): fields, `\.` for a dot in a
 * name, `['name']`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `..name`, and filters `[?(@.type=="Ready")]`. Throws JsonPathError.
 */
export function parseJsonPath(path: string): (value: Json) => Json[] {
  const steps = new Reader(path).read()
  return (value) => run(steps, value)
}

function run(steps: readonly Step[], value: Json): Json[] {
  let found: Json[] = [value]
  for (const step of steps) found = found.flatMap((each) => take(step, each))
  return found
}

function take(step: Step, value: Json): Json[] {
  switch (step.type) {
    case 'field': return isObject(value) && Object.hasOwn(value, step.name) && value[step.name] !== undefined ? [value[step.name] as Json] : []
    case 'all': return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []
    case 'descend': return [...take({ type: 'field', name: step.name }, value), ...take({ type: 'all' }, value).flatMap((member) => (typeof member === 'object' && member !== null ? take(step, member) : []))]
    case 'slice': {
      if (!Array.isArray(value)) return []
      const from = step.from ?? 0
      return step.one ? value.slice(from).slice(0, 1) : value.slice(from, step.to)
    }
    case 'filter': return Array.isArray(value) ? value.filter((item) => compare(run(step.path, item), step.operator, step.value)) : []
  }
}

function compare(found: readonly Json[], operator: string, wanted: Json | undefined): boolean {
  if (operator === '') return found.length > 0
  const [value] = found
  if (value === undefined || wanted === undefined) return false
  switch (operator) {
    case '==': return value === wanted
    case '!=': return value !== wanted
    case '<': return (value as number) < (wanted as number)
    case '<=': return (value as number) <= (wanted as number)
    case '>': return (value as number) > (wanted as number)
    default: return (value as number) >= (wanted as number)
  }
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    // kubectl's braces and the leading $ may be there or not.
    this.#text = text.replace(/^\{(.*)\}$/s, '$1').replace(/^[$@]/, '')
  }

  read(): Step[] {
    const steps: Step[] = []
    while (this.#at < this.#text.length) {
      if (this.#text.startsWith('..', this.#at)) {
        this.#at += 2
        steps.push({ type: 'descend', name: this.#name() })
      } else if (this.#text[this.#at] === '.') {
        this.#at++
        if (this.#text[this.#at] === '*') {
          this.#at++
          steps.push({ type: 'all' })
        } else if (this.#at < this.#text.length && this.#text[this.#at] !== '[') steps.push({ type: 'field', name: this.#name() })
      } else if (this.#text[this.#at] === '[') steps.push(this.#bracket())
      else throw new JsonPathError(`unexpected ${JSON.stringify(this.#text[this.#at])} at ${this.#at} in ${JSON.stringify(this.#text)}`)
    }
    return steps
  }

  #name(): string {
    let name = ''
    for (; this.#at < this.#text.length && !/[.[\]\s]/.test(this.#text[this.#at] ?? ''); this.#at++) {
      if (this.#text[this.#at] === '\\') this.#at++
      name += this.#text[this.#at] ?? ''
    }
    if (name === '') throw new JsonPathError(`a name is missing at ${this.#at} in ${JSON.stringify(this.#text)}`)
    return name
  }

  #bracket(): Step {
    const rest = this.#text.slice(this.#at)
    const match = /^\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\*)|(-?\d+)|(-?\d*):(-?\d*)|\?\((.*?)\))\s*\]/s.exec(rest)
    if (!match) throw new JsonPathError(`unterminated or unknown bracket at ${this.#at} in ${JSON.stringify(this.#text)}`)
    this.#at += match[0].length
    const [, single, double, all, index, from, to, filter] = match
    const name = single ?? double
    if (name !== undefined) return { type: 'field', name: name.replace(/\\(.)/g, '$1') }
    if (all !== undefined) return { type: 'all' }
    if (index !== undefined) return { type: 'slice', from: Number(index), to: undefined, one: true }
    if (filter !== undefined) return readFilter(filter)
    return { type: 'slice', from: from === '' || from === undefined ? undefined : Number(from), to: to === '' || to === undefined ? undefined : Number(to), one: false }
  }
}

function readFilter(text: string): Step {
  const match = /^\s*(@.*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*$/s.exec(text)
  if (!match) throw new JsonPathError(`a filter begins with @: ${JSON.stringify(text)}`)
  const [, path = '', operator = '', value] = match
  return { type: 'filter', path: new Reader(path).read(), operator, value: value === undefined ? undefined : literal(value) }
}

function literal(text: string): Json {
  const quoted = /^'(.*)'$/s.exec(text)
  try {
    return quoted ? (quoted[1] ?? '') : (JSON.parse(text) as Json)
  } catch (error) {
    throw new JsonPathError(`${text} is no value to compare with`, { cause: error })
  }
}
