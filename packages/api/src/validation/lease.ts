import type { Lease } from '../types/coordination/v1.ts'
import { checkFormat, checkNonNegative, checkOneOf, textOf } from './common.ts'
import { forbidden, invalid } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { qualifiedName } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkGenericMeta, checkGenericMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

function checkSpec({ spec = {} }: Lease): FieldError[] {
  const errors: FieldError[] = []
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) errors.push(invalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0'))
  errors.push(...checkNonNegative('spec.leaseTransitions', spec.leaseTransitions))
  if (spec.strategy !== undefined) errors.push(...checkStrategy(spec.strategy))
  if (textOf(spec.preferredHolder) !== '' && textOf(spec.strategy) === '') errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'))
  return errors
}

/** One of Kubernetes' own strategies, or one with a domain. Upstream names the field twice. */
function checkStrategy(strategy: string): FieldError[] {
  const field = 'spec.strategy.strategy'
  return strategy.includes('/') ? checkFormat(field, strategy, qualifiedName) : checkOneOf(field, strategy, ['OldestEmulationVersion'])
}

export const leaseValidation: KindValidation<Lease> = {
  namespaced: true,
  create: (lease) => [...checkGenericMeta(lease.metadata, true, nameIsDnsSubdomain), ...checkSpec(lease)],
  update: (lease, old) => [...checkGenericMetaUpdate(lease.metadata, old.metadata), ...checkSpec(lease)],
}
