import type { TokenAuthenticator } from '../authentication/authenticator.ts'
import type { Authorization } from '../authorization/index.ts'
import type { VirtualResource } from '../interfaces.ts'
import { accessReviews } from './access-reviews.ts'
import { selfSubjectReview, selfSubjectRulesReview } from './self-reviews.ts'
import { tokenReview } from './token-review.ts'

export { tokenRequest } from './token-request.ts'
export type { TokenIssuer } from './token-request.ts'

/** Resources that are asked and answered but never kept. */
export function createVirtualResources(parts: { authorization: Authorization, tokens: TokenAuthenticator, audiences: readonly string[], modes: readonly string[] }): VirtualResource[] {
  return [
    tokenReview(parts.tokens, parts.audiences),
    selfSubjectReview,
    ...accessReviews(parts.authorization.authorizer),
    selfSubjectRulesReview(parts.authorization.index, parts.modes),
  ]
}
