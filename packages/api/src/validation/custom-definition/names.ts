import type { CustomResourceDefinitionNames } from '../../types/apiextensions/v1.ts'
import { textOf } from '../common.ts'
import { invalid } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1035Label } from '../formats.ts'

const checkName = (field: string, name: string): FieldError[] => {
  const problems = dns1035Label(name)
  return problems.length === 0 ? [] : [invalid(field, name, problems.join(','))]
}

function checkKind(field: string, kind: string): FieldError[] {
  const problems = kind === '' ? [] : dns1035Label(kind.toLowerCase())
  return problems.length === 0 ? [] : [invalid(field, kind, `may have mixed case, but should otherwise match: ${problems.join(',')}`)]
}

/** The names of a resource, asked for or accepted; ones that are missing are somebody else's matter. */
export function checkNames(names: Partial<CustomResourceDefinitionNames> | undefined, at: string): FieldError[] {
  const { plural, singular, shortNames, categories } = names ?? {}
  const kind = textOf(names?.kind)
  const listKind = textOf(names?.listKind)
  return [
    ...(textOf(plural) === '' ? [] : checkName(`${at}.plural`, textOf(plural))),
    ...(textOf(singular) === '' ? [] : checkName(`${at}.singular`, textOf(singular))),
    ...checkKind(`${at}.kind`, kind),
    ...checkKind(`${at}.listKind`, listKind),
    ...(shortNames ?? []).flatMap((name, i) => checkName(`${at}.shortNames[${i}]`, name)),
    ...(kind !== '' && kind === listKind ? [invalid(`${at}.listKind`, listKind, 'kind and listKind may not be the same')] : []),
    ...(categories ?? []).flatMap((name, i) => checkName(`${at}.categories[${i}]`, name)),
  ]
}
