import type { CELDeviceSelector, DeviceClaim, DeviceConfiguration, DeviceConstraint, DeviceRequest, DeviceSelector, DeviceToleration, ExactDeviceRequest } from '../../types/resource/v1.ts'
import { checkFormat, checkRequiredFormat, isRecord, textOf } from '../common.ts'
import { checkDriverName } from '../csi-names.ts'
import { goJson, invalid, notSupported, required, tooLong } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Subdomain, labelValueFormat } from '../formats.ts'
import { checkLabelName } from '../object-meta.ts'
import { checkList, checkSet } from './lists.ts'
import { checkFullyQualifiedName, checkLabelLikeName } from './names.ts'

const requestsLimit = 32
const firstAvailableLimit = 8
const selectorsLimit = 32
const constraintsLimit = 32
export const configLimit = 32
const tolerationsLimit = 16
const expressionLength = 10 * 1024
const parametersLength = 10 * 1024

/** The names of a claim's requests, and of the alternatives within them. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>

export function requestNames(claim: DeviceClaim | undefined): RequestNames {
  return new Map((claim?.requests ?? []).map((request) => [textOf(request.name), new Set((request.firstAvailable ?? []).map(({ name }) => textOf(name)))]))
}

/** What a claim asks for. */
export function checkDeviceClaim(claim: DeviceClaim | undefined, at: string): FieldError[] {
  const names = requestNames(claim)
  return [
    ...checkSet(`${at}.requests`, claim?.requests, requestsLimit, checkRequest, ({ name }) => textOf(name)),
    ...checkList(`${at}.constraints`, claim?.constraints, constraintsLimit, (constraint, field) => checkConstraint(constraint, field, names)),
    ...checkList(`${at}.config`, claim?.config, configLimit, (config, field) => [...checkRequestRefs(config.requests, `${field}.requests`, names), ...checkConfiguration(config, field)]),
  ]
}

function checkRequest(request: DeviceRequest, at: string): FieldError[] {
  const errors = checkLabelLikeName(`${at}.name`, request.name)
  const alternatives = (request.firstAvailable?.length ?? 0) > 0
  if (!alternatives && !request.exactly) return [...errors, required(at, 'exactly one of `exactly` or `firstAvailable` is required')]
  if (alternatives && request.exactly) return [...errors, invalid(at, null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set')]
  if (request.exactly) return [...errors, ...checkExact(request.exactly, `${at}.exactly`)]
  return [...errors, ...checkSet(`${at}.firstAvailable`, request.firstAvailable, firstAvailableLimit,
    (sub, field) => [...checkLabelLikeName(`${field}.name`, sub.name), ...checkExact(sub, field)], ({ name }) => textOf(name))]
}

function checkExact(request: Omit<ExactDeviceRequest, 'adminAccess'>, at: string): FieldError[] {
  return [
    ...checkRequiredFormat(`${at}.deviceClassName`, request.deviceClassName, dns1123Subdomain),
    ...checkSelectors(request.selectors, `${at}.selectors`),
    ...checkAllocationMode(request, at),
    ...checkList(`${at}.tolerations`, request.tolerations, tolerationsLimit, checkToleration),
  ]
}

function checkAllocationMode({ allocationMode = '', count = 0 }: Pick<ExactDeviceRequest, 'allocationMode' | 'count'>, at: string): FieldError[] {
  if (allocationMode === 'All') return count === 0 ? [] : [invalid(`${at}.count`, count, "must not be specified when allocationMode is 'All'")]
  if (allocationMode === 'ExactCount') return count > 0 ? [] : [invalid(`${at}.count`, count, 'must be greater than zero')]
  return [notSupported(`${at}.allocationMode`, allocationMode, ['All', 'ExactCount'])]
}

/** Selectors of a request or class. Their expressions are compiled where a compiler is at hand: in the API server. */
export function checkSelectors(selectors: readonly DeviceSelector[] | undefined, at: string): FieldError[] {
  return checkList(at, selectors, selectorsLimit, ({ cel }, field) => (cel ? checkExpression(cel, `${field}.cel.expression`) : [required(`${field}.cel`)]))
}

function checkExpression({ expression = '' }: Partial<CELDeviceSelector>, field: string): FieldError[] {
  return Buffer.byteLength(expression) > expressionLength ? [tooLong(field, expressionLength)] : []
}

function checkConstraint(constraint: DeviceConstraint, at: string, names: RequestNames): FieldError[] {
  const errors = checkRequestRefs(constraint.requests, `${at}.requests`, names)
  if (constraint.matchAttribute !== undefined) return [...errors, ...checkFullyQualifiedName(`${at}.matchAttribute`, constraint.matchAttribute)]
  if (constraint.distinctAttribute !== undefined) return [...errors, ...checkFullyQualifiedName(`${at}.distinctAttribute`, constraint.distinctAttribute)]
  return [...errors, required(at, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set')]
}

const noSuchRequest = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

export function checkRequestRef(field: string, name: string, names: RequestNames): FieldError[] {
  const parts = name.split('/')
  if (parts.length > 2) return [invalid(field, name, noSuchRequest)]
  const [request = '', alternative] = parts
  const known = names.get(request)
  const found = known !== undefined && (alternative === undefined || known.has(alternative))
  return [...parts.flatMap((part) => checkLabelLikeName(field, part)), ...(found ? [] : [invalid(field, name, noSuchRequest)])]
}

/** References to requests, each once. */
export function checkRequestRefs(refs: readonly string[] | undefined, at: string, names: RequestNames): FieldError[] {
  return checkSet(at, refs, requestsLimit, (name, field) => checkRequestRef(field, name, names), (name) => name)
}

/** A driver's own parameters. */
export function checkConfiguration({ opaque }: DeviceConfiguration, at: string): FieldError[] {
  if (!opaque) return [required(`${at}.opaque`)]
  return [...checkDriverName(`${at}.opaque.driver`, opaque.driver), ...checkRaw(opaque.parameters, `${at}.opaque.parameters`, parametersLength)]
}

/** Free JSON that must be an object of so many bytes at most. */
export function checkRaw(value: unknown, field: string, limit: number): FieldError[] {
  if (value === undefined || value === null) return [required(field)]
  if (Buffer.byteLength(goJson(value)) > limit) return [tooLong(field, limit)]
  return isRecord(value) ? [] : [invalid(field, '<value omitted>', 'must be a valid JSON object')]
}

export const taintEffects = ['NoExecute', 'NoSchedule', 'None']

function checkToleration({ key = '', operator, value = '', effect }: DeviceToleration, at: string): FieldError[] {
  const errors = key === '' ? [] : checkLabelName(`${at}.key`, key)
  if (operator === 'Exists') {
    if (value !== '') errors.push(invalid(`${at}.value`, value, 'must be empty for operator `Exists`'))
  } else if (operator === 'Equal') errors.push(...checkFormat(`${at}.value`, value, labelValueFormat))
  else if (textOf(operator) === '') errors.push(required(`${at}.operator`))
  else errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']))
  if (textOf(effect) !== '' && !taintEffects.includes(textOf(effect))) errors.push(notSupported(`${at}.effect`, effect, taintEffects))
  return errors
}
