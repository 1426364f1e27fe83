import { SelectorError } from './errors.ts'

/** One condition on one field. */
export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** A conjunction of conditions on fields. */
export class FieldSelector {
  readonly requirements: readonly FieldRequirement[]

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements
  }

  /** Asks `valueOf` for each field; an absent field is the empty string. */
  matches(valueOf: (field: string) => string | undefined): boolean {
    return this.requirements.every(({ field, operator, value }) => ((valueOf(field) ?? '') === value) === (operator === '='))
  }

  isEmpty(): boolean {
    return this.requirements.length === 0
  }

  /** The value that a field must have, if the selector says so. */
  exactMatch(field: string): string | undefined {
    return this.requirements.find((r) => r.field === field && r.operator === '=')?.value
  }

  toString(): string {
    return this.requirements.map(({ field, operator, value }) => `${field}${operator}${value}`).join(',')
  }
}

/** Parses `metadata.name=x,status.phase!=Running`. Throws {@link SelectorError} in upstream's words. */
export function parseFieldSelector(text: string): FieldSelector {
  const parts = text.split(',').filter((part) => part !== '').sort()
  return new FieldSelector(parts.map((part) => {
    for (const [symbol, operator] of [['!=', '!='], ['==', '='], ['=', '=']] as const) {
      const pieces = part.split(symbol)
      if (pieces.length === 2) return { field: pieces[0] ?? '', operator, value: pieces[1] ?? '' }
    }
    throw new SelectorError(`invalid selector: '${text}'; can't understand '${part}'`)
  }))
}
