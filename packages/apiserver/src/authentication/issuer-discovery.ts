import type { ApiRequest, ApiResponse, ServerDependencies } from '../interfaces.ts'
import { jwks, type VerificationKey } from '@berth/kube'

/** OpenID discovery of the service account issuer: its document and its keys, for those who verify tokens by themselves. */
export function issuerDiscoveryPaths(dependencies: ServerDependencies, keys: readonly VerificationKey[]): { path: string, handle(request: ApiRequest): Promise<ApiResponse> }[] {
  const { options } = dependencies
  const answer = (contentType: string, body: unknown): ApiResponse => ({
    status: 200, headers: { 'content-type': contentType, 'cache-control': 'public, max-age=3600' }, body: JSON.stringify(body),
  })
  return [
    {
      path: '/.well-known/openid-configuration',
      handle: async () => answer('application/json', {
        issuer: options.serviceAccountIssuer,
        jwks_uri: `https://${hostPort(options.advertiseAddress ?? '127.0.0.1', dependencies.port())}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [...new Set(keys.map((k) => k.algorithm))].sort(),
      }),
    },
    { path: '/openid/v1/jwks', handle: async () => answer('application/jwk-set+json', jwks(keys)) },
  ]
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
