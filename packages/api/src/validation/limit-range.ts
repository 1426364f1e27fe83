import type { Quantity } from '../quantity/index.ts'
import type { LimitRange, LimitRangeItem } from '../types/core/v1.ts'
import { checkFormat, quantity, textOf } from './common.ts'
import { duplicate, forbidden, invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { qualifiedName } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, nameIsDnsSubdomain } from './object-meta.ts'
import { checkContainerResourceName, checkResourceName, isOvercommitAllowed } from './pod/resources.ts'

const limitTypes = ['Pod', 'Container', 'PersistentVolumeClaim']
/** Amounts up to here are compared by thousandths. */
const maxMilli = 9223372036854775n

function checkType(field: string, type: string): FieldError[] {
  const errors = checkFormat(field, type, qualifiedName)
  return errors.length > 0 || type.includes('/') || limitTypes.includes(type) ? errors : [invalid(field, type, 'must be a standard limit type or fully qualified')]
}

type Amounts = Record<'min' | 'max' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio', Readonly<Record<string, string>>>

/** What one resource's amounts say of each other. */
function checkResource(name: string, amounts: Amounts, at: string): FieldError[] {
  const errors: FieldError[] = []
  const of = (list: keyof Amounts): Quantity | undefined => (amounts[list][name] === undefined ? undefined : quantity(amounts[list][name]))
  const [min, max, limit, request, ratio] = [of('min'), of('max'), of('default'), of('defaultRequest'), of('maxLimitRequestRatio')]
  const expect = (holds: boolean, list: keyof Amounts, shown: Quantity, detail: string): void => {
    if (!holds) errors.push(invalid(`${at}.${list}[${name}]`, shown.toString(), detail))
  }
  if (min && max) expect(min.cmp(max) <= 0, 'min', min, `min value ${min} is greater than max value ${max}`)
  if (request && min) expect(min.cmp(request) <= 0, 'defaultRequest', request, `min value ${min} is greater than default request value ${request}`)
  if (request && max) expect(request.cmp(max) <= 0, 'defaultRequest', request, `default request value ${request} is greater than max value ${max}`)
  if (request && limit) expect(request.cmp(limit) <= 0, 'defaultRequest', request, `default request value ${request} is greater than default limit value ${limit}`)
  if (limit && min) expect(min.cmp(limit) <= 0, 'default', min, `min value ${min} is greater than default value ${limit}`)
  if (limit && max) expect(limit.cmp(max) <= 0, 'default', max, `default value ${limit} is greater than max value ${max}`)
  if (ratio) expect(ratio.cmp(quantity('1')) >= 0, 'maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`)
  if (ratio && min && max) {
    const small = [ratio, min, max].every((amount) => amount.value() < maxMilli)
    const most = small ? Number(max.milliValue()) / Number(min.milliValue()) : Number(max.value()) / Number(min.value())
    const asked = small ? Number(ratio.milliValue()) / 1000 : Number(ratio.value())
    expect(!(asked > most), 'maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`)
  }
  if (limit && request && !isOvercommitAllowed(name)) {
    expect(limit.cmp(request) === 0, 'defaultRequest', request, `default value ${limit} must equal to defaultRequest value ${request} in ${name}`)
  }
  return errors
}

function checkLimit(limit: LimitRangeItem, at: string): FieldError[] {
  const { type, min = {}, max = {}, maxLimitRequestRatio = {} } = limit
  const isPod = type === 'Pod'
  const amounts: Amounts = { max, min, default: isPod ? {} : limit.default ?? {}, defaultRequest: isPod ? {} : limit.defaultRequest ?? {}, maxLimitRequestRatio }
  const checkName = isPod || type === 'Container' ? checkContainerResourceName : checkResourceName
  const names = (list: keyof Amounts): FieldError[] => Object.keys(amounts[list]).flatMap((name) => checkName(`${at}.${list}[${name}]`, name))
  const hasSome = (list: Readonly<Record<string, string>> | undefined): boolean => Object.keys(list ?? {}).length > 0
  return [
    ...names('max'), ...names('min'),
    ...(isPod && hasSome(limit.default) ? [forbidden(`${at}.default`, "may not be specified when `type` is 'Pod'")] : []),
    ...(isPod && hasSome(limit.defaultRequest) ? [forbidden(`${at}.defaultRequest`, "may not be specified when `type` is 'Pod'")] : []),
    ...names('default'), ...names('defaultRequest'),
    ...(type === 'PersistentVolumeClaim' && min['storage'] === undefined && max['storage'] === undefined
      ? [required(`${at}.limits`, 'either minimum or maximum storage value is required, but neither was provided')] : []),
    ...names('maxLimitRequestRatio'),
    ...[...new Set(Object.values(amounts).flatMap((list) => Object.keys(list)))].flatMap((name) => checkResource(name, amounts, at)),
  ]
}

function checkRange({ metadata, spec }: LimitRange): FieldError[] {
  const types = (spec?.limits ?? []).map(({ type }) => textOf(type))
  return [
    ...checkMeta(metadata, true, nameIsDnsSubdomain),
    ...(spec?.limits ?? []).flatMap((limit, i) => {
      const at = `spec.limits[${i}]`
      const type = textOf(limit.type)
      return [...checkType(`${at}.type`, type), ...(types.indexOf(type) < i ? [duplicate(`${at}.type`, type)] : []), ...checkLimit(limit, at)]
    }),
  ]
}

export const limitRangeValidation: KindValidation<LimitRange> = { namespaced: true, create: checkRange, update: checkRange }
