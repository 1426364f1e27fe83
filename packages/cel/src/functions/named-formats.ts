import { dns1035Label, dns1123Label, dns1123Subdomain, labelValueFormat, qualifiedName } from '@berth/api'
import { CelEvaluationError } from '../errors.ts'
import { codePoints, regexCost } from './cost.ts'
import { overload } from './overload.ts'
import { parseUrl } from './url.ts'
import { listOf } from '../values/containers.ts'
import { parseRfc3339 } from '../values/time.ts'
import { none, OpaqueValue, OptionalValue } from '../values/value.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'

/** A format that strings can be validated against. */
class FormatValue extends OpaqueValue {
  readonly typeName = 'kubernetes.NamedFormat'
  readonly name: string
  readonly problems: (text: string) => readonly string[]
  /** The length of the regular expression that its check is priced as. */
  readonly regexSize: number

  constructor(name: string, regexSize: number, problems: (text: string) => readonly string[]) {
    super()
    this.name = name
    this.regexSize = regexSize
    this.problems = problems
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof FormatValue && other.name === this.name
  }
}

// A prefix may end with a dash, which is then as good as a letter.
const prefix = (problems: (text: string) => readonly string[]) => (text: string) => problems(text.endsWith('-') ? `${text.slice(0, -1)}a` : text)
const onlyIf = (valid: (text: string) => boolean, problem: string) => (text: string) => valid(text) ? [] : [problem]

function uriProblems(text: string): readonly string[] {
  try {
    parseUrl(text)
    return []
  } catch (error) {
    if (error instanceof CelEvaluationError) return [error.message]
    throw error
  }
}

const dateTimeSize = 71
const formats: Readonly<Record<string, FormatValue>> = {
  dns1123Label: new FormatValue('DNS1123Label', 30, dns1123Label),
  dns1123Subdomain: new FormatValue('DNS1123Subdomain', 60, dns1123Subdomain),
  dns1035Label: new FormatValue('DNS1035Label', 30, dns1035Label),
  qualifiedName: new FormatValue('QualifiedName', 60, qualifiedName),
  dns1123LabelPrefix: new FormatValue('DNS1123LabelPrefix', 30, prefix(dns1123Label)),
  dns1123SubdomainPrefix: new FormatValue('DNS1123SubdomainPrefix', 60, prefix(dns1123Subdomain)),
  dns1035LabelPrefix: new FormatValue('DNS1035LabelPrefix', 30, prefix(dns1035Label)),
  labelValue: new FormatValue('LabelValue', 40, labelValueFormat),
  uri: new FormatValue('URI', 1103, uriProblems),
  uuid: new FormatValue('uuid', 70, onlyIf(text => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text), 'does not match the UUID format')),
  byte: new FormatValue('byte', 84, onlyIf(text => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(text), 'invalid base64')),
  date: new FormatValue('date', dateTimeSize, onlyIf(text => /^\d{4}-\d{2}-\d{2}$/.test(text) && parseRfc3339(`${text}T00:00:00Z`) !== undefined, 'invalid date')),
  datetime: new FormatValue('datetime', dateTimeSize, onlyIf(text => parseRfc3339(text.toUpperCase()) !== undefined, 'invalid datetime')),
}

function validate(format: FormatValue, text: string): Value {
  const problems = format.problems(text)
  return problems.length === 0 ? none : new OptionalValue(listOf(problems))
}

function named(name: string): Value {
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined
  return format === undefined ? none : new OptionalValue(format)
}

const validateCost = (args: readonly Value[]): number =>
  args[0] instanceof FormatValue && typeof args[1] === 'string' ? regexCost(codePoints(args[1]), args[0].regexSize) : 1

/** Kubernetes' format library. */
export const namedFormats: readonly Overload[] = [
  overload('kubernetes.NamedFormat->validate(string): optional(list(string))', validate, validateCost),
  overload('format.named(string): optional(kubernetes.NamedFormat)', named),
  ...Object.entries(formats).map(([name, format]) => overload(`format.${name}(): kubernetes.NamedFormat`, () => format)),
]
