import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '../types/certificates/v1.ts'
import { certificateProblem, requestProblem } from './certificates/request.ts'
import { sameValue, textOf } from './common.ts'
import { duplicate, forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate } from './object-meta.ts'
import { checkSignerName } from './signer-name.ts'

const usages = [
  'any', 'cert sign', 'client auth', 'code signing', 'content commitment', 'crl sign', 'data encipherment', 'decipher only', 'digital signature', 'email protection', 'encipher only',
  'ipsec end system', 'ipsec tunnel', 'ipsec user', 'key agreement', 'key encipherment', 'microsoft sgc', 'netscape sgc', 'ocsp signing', 's/mime', 'server auth', 'signing', 'timestamping',
]
const legacySigner = 'kubernetes.io/legacy-unknown'
const shortest = 600
const statuses = ['False', 'True', 'Unknown']
/** Conditions that are only ever true. */
const trueOnly = ['Approved', 'Denied', 'Failed']

const textIn = (base64: string | undefined): string => Buffer.from(textOf(base64), 'base64').toString('latin1')
const conditionsOf = (request: CertificateSigningRequest | undefined, type?: string): CertificateSigningRequestCondition[] =>
  (request?.status?.conditions ?? []).filter((condition) => type === undefined || condition.type === type)
const repeats = (values: readonly unknown[]): boolean => new Set(values).size < values.length

function checkUsages(given: readonly string[], old: readonly string[] | undefined): FieldError[] {
  return [
    ...(given.length === 0 ? [required('spec.usages')] : []),
    ...(old?.some((usage) => !usages.includes(usage)) ? [] : given.flatMap((usage, i) => (usages.includes(usage) ? [] : [notSupported(`spec.usages[${i}]`, usage, usages)]))),
    ...(old && repeats(old) ? [] : given.flatMap((usage, i) => (given.indexOf(usage) < i ? [duplicate(`spec.usages[${i}]`, usage)] : []))),
  ]
}

function checkConditions(request: CertificateSigningRequest, old: CertificateSigningRequest | undefined): FieldError[] {
  const at = 'status.conditions'
  const before = conditionsOf(old)
  const allowsBoth = conditionsOf(old, 'Approved').length > 0 && conditionsOf(old, 'Denied').length > 0
  const allowsRepeated = repeats(before.map(({ type }) => type))
  const allowsUntyped = before.some(({ type }) => textOf(type) === '')
  const seen = new Set<string>()
  return conditionsOf(request).flatMap((condition, i) => {
    const field = `${at}[${i}]`
    const type = textOf(condition.type)
    const status = textOf(condition.status)
    const allowed = trueOnly.includes(type) ? ['True'] : statuses
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
    const errors = type === '' && !allowsUntyped ? [required(`${field}.type`)] : []
    if (status === '') errors.push(required(`${field}.status`))
    else if (!allowed.includes(status)) errors.push(notSupported(`${field}.status`, status, allowed))
    if (!allowsBoth && opposite !== undefined && seen.has(opposite)) errors.push(invalid(at, type, 'Approved and Denied conditions are mutually exclusive'))
    if (!allowsRepeated && seen.has(type)) errors.push(duplicate(`${field}.type`, type))
    seen.add(type)
    return errors
  })
}

function checkRequest(request: CertificateSigningRequest, old?: CertificateSigningRequest): FieldError[] {
  const { spec, status } = request
  const problem = requestProblem(textIn(spec?.request))
  const seconds = spec?.expirationSeconds
  const changed = textOf(status?.certificate) !== textOf(old?.status?.certificate)
  const wasBad = old !== undefined && certificateProblem(textIn(old.status?.certificate)) !== undefined
  const bad = (old === undefined || changed) && !wasBad ? certificateProblem(textIn(status?.certificate)) : undefined
  return [
    ...checkMeta(request.metadata, false, () => []),
    ...(problem === undefined ? [] : [invalid('spec.request', textOf(spec?.request), problem)]),
    ...checkUsages(spec?.usages ?? [], old?.spec?.usages),
    ...(spec?.signerName === legacySigner && old?.spec.signerName !== legacySigner
      ? [invalid('spec.signerName', legacySigner, 'the legacy signerName is not allowed via this API version')] : checkSignerName('spec.signerName', spec?.signerName)),
    ...(seconds !== undefined && seconds < shortest ? [invalid('spec.expirationSeconds', seconds, `may not specify a duration less than ${shortest} seconds (10 minutes)`)] : []),
    ...checkConditions(request, old),
    ...(bad === undefined ? [] : [invalid('status.certificate', '<certificate data>', bad)]),
  ]
}

/** Who may change what: conditions of approval by /approval, the certificate by /status, once. */
function checkChanges(request: CertificateSigningRequest, old: CertificateSigningRequest, subresource: string): FieldError[] {
  const at = 'status.conditions'
  const errors = trueOnly.flatMap((type) => (conditionsOf(request, type).length < conditionsOf(old, type).length ? [forbidden(at, `updates may not remove a condition of type "${type}"`)] : []))
  if (subresource !== 'approval') {
    for (const type of ['Approved', 'Denied']) {
      const [now, before] = [conditionsOf(request, type), conditionsOf(old, type)]
      if (now.length > before.length) errors.push(forbidden(at, `updates may not add a condition of type "${type}"`))
      else if (now.length === before.length && !sameValue(now, before)) errors.push(forbidden(at, `updates may not modify a condition of type "${type}"`))
    }
  }
  const before = textOf(old.status?.certificate)
  if (textOf(request.status?.certificate) === before) return errors
  if (subresource !== 'status') return [...errors, forbidden('status.certificate', 'updates may not set certificate content')]
  return before === '' ? errors : [...errors, forbidden('status.certificate', 'updates may not modify existing certificate content')]
}

export const certificateSigningRequestValidation: KindValidation<CertificateSigningRequest> = {
  namespaced: false,
  create: (request) => checkRequest(request),
  update: (request, old, subresource) => [...checkRequest(request, old), ...checkChanges(request, old, subresource), ...checkMetaUpdate(request.metadata, old.metadata)],
}
