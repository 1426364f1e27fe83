import type { LimitResponse, LimitedPriorityLevelConfiguration, PriorityLevelConfiguration, PriorityLevelConfigurationSpec, QueuingConfiguration } from '../types/flowcontrol/v1.ts'
import { sameValue, textOf } from './common.ts'
import { forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { checkConditionTypes } from './flow-schema.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, nameIsDnsSubdomain } from './object-meta.ts'

const zeroSharesAnnotation = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'
const maxQueues = 10_000_000
const maxHashBits = 60
const fixedCatchAll: PriorityLevelConfigurationSpec = { type: 'Limited', limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } } }

/** Each request is dealt a hand of the queues by bits of a hash of its flow. */
function checkQueuing({ queueLengthLimit = 0, queues = 0, handSize = 0 }: QueuingConfiguration, at: string): FieldError[] {
  const bits = Math.ceil(Math.log2(queues) * handSize)
  return [
    ...(queueLengthLimit <= 0 ? [invalid(`${at}.queueLengthLimit`, queueLengthLimit, 'must be positive')] : []),
    ...(queues <= 0 ? [invalid(`${at}.queues`, queues, 'must be positive')] : queues > maxQueues ? [invalid(`${at}.queues`, queues, `must not be greater than ${maxQueues}`)] : []),
    ...(handSize <= 0 ? [invalid(`${at}.handSize`, handSize, 'must be positive')]
      : handSize > queues ? [invalid(`${at}.handSize`, handSize, `should not be greater than queues (${queues})`)]
      : bits > maxHashBits ? [invalid(`${at}.handSize`, handSize, `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxHashBits}`)] : []),
  ]
}

function checkResponse(response: Partial<LimitResponse> = {}, at: string): FieldError[] {
  const type = textOf(response.type)
  const { queuing } = response
  if (type === 'Reject') return queuing ? [forbidden(`${at}.queuing`, 'must be nil if limited.limitResponse.type is not Limited')] : []
  if (type === 'Queue') return queuing ? checkQueuing(queuing, `${at}.queuing`) : [required(`${at}.queuing`, 'must not be empty if limited.limitResponse.type is Limited')]
  return [type === '' ? required(`${at}.type`) : notSupported(`${at}.type`, type, ['Queue', 'Reject'])]
}

/** What exempt and limited levels share. */
function checkShares({ nominalConcurrencyShares: shares = 0, lendablePercent: lendable = 0 }: LimitedPriorityLevelConfiguration, at: string, between: FieldError[] = []): FieldError[] {
  return [
    ...(shares < 0 ? [invalid(`${at}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')] : []),
    ...between,
    ...(lendable < 0 || lendable > 100 ? [invalid(`${at}.lendablePercent`, lendable, 'must be between 0 and 100, inclusive')] : []),
  ]
}

function checkLimited(limited: LimitedPriorityLevelConfiguration): FieldError[] {
  const borrowing = limited.borrowingLimitPercent ?? 0
  return [
    ...checkShares(limited, 'spec.limited', checkResponse(limited.limitResponse, 'spec.limited.limitResponse')),
    ...(borrowing < 0 ? [invalid('spec.limited.borrowingLimitPercent', borrowing, 'if specified, must be a non-negative integer')] : []),
  ]
}

function checkSpec(spec: Partial<PriorityLevelConfigurationSpec>, name: string): FieldError[] {
  const type = textOf(spec.type)
  const { exempt, limited } = spec
  const errors = (name === 'exempt') !== (type === 'Exempt') ? [invalid('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'")] : []
  if (type === 'Exempt') {
    return [...errors, ...(limited ? [forbidden('spec.limited', 'must be nil if the type is not Limited')] : []), ...(exempt ? checkShares(exempt, 'spec.exempt') : [])]
  }
  if (type !== 'Limited') return [...errors, type === '' ? required('spec.type') : notSupported('spec.type', type, ['Exempt', 'Limited'])]
  return [
    ...errors, ...(exempt ? [forbidden('spec.exempt', 'must be nil if the type is Limited')] : []), ...(limited ? checkLimited(limited) : [required('spec.limited', 'must not be empty when type is Limited')]),
  ]
}

/** Two levels are there always: of one only the shares may change, of the other nothing. */
function checkFixed({ metadata: { name }, spec }: PriorityLevelConfiguration): FieldError[] {
  if (name === 'exempt') {
    const { exempt: _, ...rest } = spec ?? {}
    return sameValue(rest, { type: 'Exempt' }) ? [] : [invalid('spec', spec, "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value")]
  }
  return name !== 'catch-all' || sameValue(spec, fixedCatchAll) ? [] : [invalid('spec', spec, "spec of 'catch-all' must equal the fixed value")]
}

const checkLevel = (level: PriorityLevelConfiguration): FieldError[] => [
  ...checkMeta(level.metadata, false, nameIsDnsSubdomain),
  ...(level.metadata.annotations?.[zeroSharesAnnotation] === undefined ? [] : [forbidden('metadata.annotations', `annotation '${zeroSharesAnnotation}' is forbidden`)]),
  ...checkSpec(level.spec ?? {}, level.metadata.name),
  ...checkFixed(level),
  ...checkConditionTypes(level.status?.conditions),
]

export const priorityLevelValidation: KindValidation<PriorityLevelConfiguration> = {
  namespaced: false,
  create: checkLevel,
  update: (level, _old, subresource) => (subresource === 'status' ? checkConditionTypes(level.status?.conditions) : checkLevel(level)),
}
