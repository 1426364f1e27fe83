import type { LabelSelector } from '../types/meta/v1.ts'
import { aggregateMessage, invalid, notSupported } from '../validation/field-errors.ts'
import type { FieldError } from '../validation/field-errors.ts'
import { labelValueFormat, qualifiedName } from '../validation/formats.ts'
import { parseRequirements } from './label-parser.ts'
import { SelectorError } from './errors.ts'

/** The operators of a label selector, by upstream's names. */
export type LabelOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!'

const operators: readonly LabelOperator[] = ['in', 'notin', '=', '==', '!=', 'gt', 'lt', 'exists', '!']

/** One condition on one label. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  readonly values: readonly string[]
}

export type Labels = Readonly<Record<string, string>> | undefined

/** A conjunction of conditions on labels. */
export class Selector {
  readonly requirements: readonly LabelRequirement[]
  /** True for the selector that matches nothing at all (an absent LabelSelector). */
  readonly nothing: boolean

  constructor(requirements: readonly LabelRequirement[], nothing = false) {
    this.requirements = requirements
    this.nothing = nothing
  }

  matches(labels: Labels): boolean {
    return !this.nothing && this.requirements.every((requirement) => requirementMatches(requirement, labels))
  }

  /** True if it restricts nothing. */
  isEmpty(): boolean {
    return !this.nothing && this.requirements.length === 0
  }

  /** The value that a label must have, if the selector says so of one value alone. */
  exactMatch(key: string): string | undefined {
    const requirement = this.requirements.find((r) => r.key === key)
    if (!requirement || !['=', '==', 'in'].includes(requirement.operator) || requirement.values.length !== 1) return undefined
    return requirement.values[0]
  }

  /** `a=b,c in (d,e),!f` */
  toString(): string {
    return this.requirements.map(requirementText).join(',')
  }
}

export const everything = new Selector([])
export const nothing = new Selector([], true)

/** Parses `a=b,c in (d,e),!f`; conditions are sorted by key. Throws {@link SelectorError} in upstream's words. */
export function parseLabelSelector(text: string): Selector {
  return new Selector(sorted(parseRequirements(text, newRequirement)))
}

/** A LabelSelector as a selector: absent selects nothing, empty selects everything. Throws {@link SelectorError} for an unknown operator or bad values. */
export function selectorOf(selector: LabelSelector | undefined): Selector {
  if (!selector) return nothing
  const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => newRequirement(key, '=', [value]))
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = expressionOperators[operator]
    if (!known) throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`)
    requirements.push(newRequirement(key, known, values ?? []))
  }
  return new Selector(sorted(requirements))
}

/** A predicate on labels for a LabelSelector; absent matches nothing, empty everything. Throws {@link SelectorError}. */
export function labelSelectorMatcher(selector: LabelSelector | undefined): (labels: Labels) => boolean {
  const compiled = selectorOf(selector)
  return (labels) => compiled.matches(labels)
}

/** A selector that wants exactly these labels. */
export function selectorFromSet(labels: Labels): Selector {
  return new Selector(sorted(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=' as const, values: [value] }))))
}

/** As kubectl and tables show a LabelSelector: `a=b,c in (d)`, or `<none>`. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  try {
    const text = selectorOf(selector).toString()
    return text === '' ? '<none>' : text
  } catch {
    return '<error>'
  }
}

/** The operators of matchExpressions, and what they are in a selector's text. */
const expressionOperators: Readonly<Record<string, LabelOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

/** Builds a requirement, checked as upstream's NewRequirement does. Throws {@link SelectorError}. */
export function newRequirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const errors: FieldError[] = []
  const badKey = qualifiedName(key)
  if (badKey.length > 0) errors.push(invalid('key', key, badKey.join('; ')))
  errors.push(...valueErrors(operator, values))
  values.forEach((value, i) => {
    const problems = labelValueFormat(value)
    if (problems.length > 0) errors.push(invalid(`values[${i}][${key}]`, value, problems.join('; ')))
  })
  if (errors.length > 0) throw new SelectorError(aggregateMessage(errors))
  return { key, operator, values }
}

function valueErrors(operator: LabelOperator, values: readonly string[]): FieldError[] {
  switch (operator) {
    case 'in': case 'notin':
      return values.length === 0 ? [invalid('values', values, "for 'in', 'notin' operators, values set can't be empty")] : []
    case '=': case '==': case '!=':
      return values.length === 1 ? [] : [invalid('values', values, 'exact-match compatibility requires one single value')]
    case 'exists': case '!':
      return values.length === 0 ? [] : [invalid('values', values, 'values set must be empty for exists and does not exist')]
    case 'gt': case 'lt':
      return [
        ...(values.length === 1 ? [] : [invalid('values', values, "for 'Gt', 'Lt' operators, exactly one value is required")]),
        ...values.flatMap((value, i) => (int64(value) === undefined ? [invalid(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer")] : [])),
      ]
    default:
      return [notSupported('operator', operator, operators)]
  }
}

/** True if labels meet one condition. */
export function requirementMatches({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'in': case '=': case '==': return value !== undefined && values.includes(value)
    case 'notin': case '!=': return value === undefined || !values.includes(value)
    case 'exists': return value !== undefined
    case '!': return value === undefined
    case 'gt': case 'lt': {
      const have = value === undefined ? undefined : int64(value)
      const want = values.length === 1 ? int64(values[0] ?? '') : undefined
      if (have === undefined || want === undefined) return false
      return operator === 'gt' ? have > want : have < want
    }
  }
}

function requirementText({ key, operator, values }: LabelRequirement): string {
  const list = values.length > 1 ? [...values].sort(byBytes).join(',') : (values[0] ?? '')
  switch (operator) {
    case '!': return `!${key}`
    case 'exists': return key
    case 'in': return `${key} in (${list})`
    case 'notin': return `${key} notin (${list})`
    case 'gt': return `${key}>${list}`
    case 'lt': return `${key}<${list}`
    default: return `${key}${operator}${list}`
  }
}

function sorted(requirements: LabelRequirement[]): LabelRequirement[] {
  return requirements.sort((a, b) => byBytes(a.key, b.key))
}

const byBytes = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** A decimal 64-bit integer, or undefined. */
function int64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  return value >= -(1n << 63n) && value < 1n << 63n ? value : undefined
}
