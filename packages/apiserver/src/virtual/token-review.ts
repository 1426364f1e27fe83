import { authentication } from '@berth/api'
import type { TokenReview } from '@berth/api/types/authentication/v1'
import type { TokenAuthenticator } from '../authentication/authenticator.ts'
import { badRequest } from '../errors.ts'
import type { ApiObject, VirtualResource } from '../interfaces.ts'
import { wireUser } from './user-info.ts'

/** Tells other servers whose a token is. */
export function tokenReview(tokens: TokenAuthenticator, audiences: readonly string[]): VirtualResource {
  return {
    resource: authentication.tokenreviews,
    async create(object) {
      const review = object as unknown as TokenReview
      // A body may leave out what its type always has.
      review.spec ??= {}
      if (!review.spec.token) throw badRequest('token is required for TokenReview in authentication')
      return { ...object, status: check(tokens, review.spec.token, review.spec.audiences?.length ? review.spec.audiences : audiences) } as unknown as ApiObject
    },
  }
}

function check(tokens: TokenAuthenticator, token: string, audiences: readonly string[]): TokenReview['status'] {
  try {
    const answer = tokens.check(token, audiences)
    if (!answer) return { user: {}, error: 'invalid bearer token' }
    return { authenticated: true, user: wireUser(answer.user), audiences: answer.audiences }
  } catch (error) {
    return { user: {}, error: error instanceof Error ? `[invalid bearer token, ${error.message}]` : String(error) }
  }
}
