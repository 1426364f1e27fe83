import type { SelfSubjectReview, TokenRequest, TokenReview } from '../types/authentication/v1.ts'
import { invalid } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation } from './kind.ts'

/** A request for a service account's token: it lives ten minutes or more. */
export const tokenRequestValidation: KindValidation<TokenRequest> = {
  namespaced: true,
  virtual: true,
  create({ spec }) {
    const seconds = spec?.expirationSeconds ?? 0
    const errors: FieldError[] = []
    if (seconds < 600) errors.push(invalid('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'))
    if (seconds > 2 ** 32) errors.push(invalid('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds'))
    return errors
  },
}

/** A token to be judged; that one was given at all is the endpoint's question. */
export const tokenReviewValidation: KindValidation<TokenReview> = { namespaced: false, virtual: true, create: () => [] }

export const selfSubjectReviewValidation: KindValidation<SelfSubjectReview> = { namespaced: false, virtual: true, create: () => [] }
