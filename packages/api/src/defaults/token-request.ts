import type { TokenRequest } from '../types/authentication/v1.ts'

/** A token lives an hour unless it is asked otherwise. */
export function defaultTokenRequest(request: TokenRequest): void {
  request.spec ??= { audiences: [] }
  request.spec.expirationSeconds ??= 3600
}
