// Users that a proxy names in headers, believed where the proxy shows a certificate of the request-header authority.
import type { AuthenticationRequest, UserInfo } from '../interfaces.ts'
import { ClientCertificates } from './client-certificates.ts'
import { extraOf, valuesOf } from './header-values.ts'

/** Which headers carry what (--requestheader-*). */
export interface RequestHeaders {
  readonly usernameHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraHeadersPrefix: readonly string[]
}

/** Finds users in headers of proxies. */
export class RequestHeaderAuthenticator {
  readonly #certificates: ClientCertificates
  readonly #allowedNames: readonly string[]
  readonly #headers: RequestHeaders

  /** `authorities`: PEM of the CAs that sign proxies' certificates; `allowedNames`: their common names, empty for any; `now`: ms since 1970. */
  constructor(authorities: string, allowedNames: readonly string[], headers: RequestHeaders, now: () => number) {
    this.#certificates = new ClientCertificates(authorities, now)
    this.#allowedNames = allowedNames
    this.#headers = headers
  }

  /** The user that the headers name; undefined where they name none. Throws an Error where the client is no proxy that may do so. */
  check(request: AuthenticationRequest): UserInfo | undefined {
    if (request.clientCertificates.length === 0) return undefined
    const user = userOfHeaders(request, this.#headers)
    if (!user) return undefined
    const { name } = this.#certificates.check(request.clientCertificates)
    if (this.#allowedNames.length > 0 && !this.#allowedNames.includes(name)) throw new Error(`x509: subject with cn=${name} is not in the allowed list`)
    return user
  }
}

/** Reads a user out of headers: the first name that is there, every group, every extra whose header begins with a prefix. */
export function userOfHeaders(request: Pick<AuthenticationRequest, 'headers' | 'rawHeaders'>, names: RequestHeaders): UserInfo | undefined {
  const name = first(request, names.usernameHeaders)
  if (name === undefined) return undefined
  const uid = first(request, names.uidHeaders)
  const groups = names.groupHeaders.flatMap((header) => valuesOf(request, header)).filter((group) => group !== '')
  const extra = extraOf(request, names.extraHeadersPrefix.map((each) => each.toLowerCase()))
  return { name, groups, ...(uid !== undefined && { uid }), ...(Object.keys(extra).length > 0 && { extra }) }
}

function first(request: Pick<AuthenticationRequest, 'headers' | 'rawHeaders'>, headers: readonly string[]): string | undefined {
  for (const header of headers) {
    const [value] = valuesOf(request, header)
    if (value !== undefined && value !== '') return value
  }
  return undefined
}
