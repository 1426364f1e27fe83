// What ValidatingAdmissionPolicies and MutatingAdmissionPolicies share. CEL expressions are judged by form alone.
import type { ParamKind, ParamRef, Variable } from '../../types/admissionregistration/v1.ts'
import { textOf } from '../common.ts'
import { forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1035Label, dns1123Subdomain, pathSegmentName } from '../formats.ts'
import { checkLabelSelector } from '../label-selector.ts'

const reservedWords = new Set([
  'true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while',
])

export const isBlank = (text: string | undefined): boolean => textOf(text).trim() === ''

export function checkRequiredOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  if (textOf(value) === '') return [required(field)]
  return supported.includes(textOf(value)) ? [] : [notSupported(field, value, supported)]
}

function checkApiVersion(field: string, apiVersion: string): FieldError[] {
  if (apiVersion === '') return [required(field)]
  const parts = apiVersion.split('/')
  if (parts.length > 2) return [invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  const [group, version] = parts.length === 2 ? [parts[0] ?? '', parts[1] ?? ''] : ['', apiVersion]
  const groupProblems = group === '' ? [] : dns1123Subdomain(group)
  const versionProblems = version === '' ? [] : dns1035Label(version)
  return [
    ...(groupProblems.length > 0 ? [invalid(field, group, groupProblems.join(','))] : []),
    ...(version === '' ? [invalid(field, apiVersion, 'version must be specified')] : versionProblems.length > 0 ? [invalid(field, version, versionProblems.join(','))] : []),
  ]
}

export function checkParamKind(kind: ParamKind | undefined, at: string): FieldError[] {
  if (!kind) return []
  const name = textOf(kind.kind)
  const problems = dns1035Label(name.toLowerCase())
  return [
    ...checkApiVersion(`${at}.apiVersion`, textOf(kind.apiVersion)),
    ...(name === '' ? [required(`${at}.kind`)] : problems.length > 0 ? [invalid(`${at}.kind`, name, `may have mixed case, but should otherwise match: ${problems.join(',')}`)] : []),
  ]
}

export function checkParamRef(ref: ParamRef | undefined, at: string): FieldError[] {
  if (!ref) return []
  const { selector } = ref
  const name = textOf(ref.name)
  const action = textOf(ref.parameterNotFoundAction)
  const exclusive = 'name and selector are mutually exclusive'
  return [
    ...(name === '' ? [] : pathSegmentName(name).map((problem) => invalid(`${at}.name`, name, problem))),
    ...(name !== '' && selector ? [forbidden(`${at}.name`, exclusive)] : []),
    ...checkLabelSelector(`${at}.selector`, selector),
    ...(name !== '' && selector ? [forbidden(`${at}.selector`, exclusive)] : []),
    ...(name === '' && !selector ? [required(at, 'one of name or selector must be specified')] : []),
    ...(action === '' ? [required(`${at}.parameterNotFoundAction`)] : action === 'Deny' || action === 'Allow' ? [] : [notSupported(`${at}.parameterNotFoundAction`, action, ['Deny', 'Allow'])]),
  ]
}

export function checkVariable({ name, expression }: Variable, at: string): FieldError[] {
  return [
    ...(isBlank(name) ? [required(`${at}.name`, 'name is not specified')]
      : /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !reservedWords.has(name) ? [] : [invalid(`${at}.name`, name, 'must be a valid CEL identifier')]),
    ...(isBlank(expression) ? [required(`${at}.expression`, 'expression is not specified')] : []),
  ]
}

export function checkPolicyName(name: string | undefined, field: string): FieldError[] {
  const text = textOf(name)
  return text === '' ? [required(field)] : dns1123Subdomain(text).map((problem) => invalid(field, text, problem))
}
