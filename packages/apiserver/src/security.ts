import { readFileSync } from 'node:fs'
import type { CertificateAndKey } from '@berth/kube'
import { jwtSigner, verificationKey } from '@berth/kube'
import { createAdmission } from './admission/index.ts'
import { ClusterIpAllocator, NodePortAllocator, serviceHook } from './allocators/index.ts'
import { RequestAuthenticator, TokenAuthenticator } from './authentication/authenticator.ts'
import { BootstrapTokens } from './authentication/bootstrap-tokens.ts'
import { ClientCertificates } from './authentication/client-certificates.ts'
import { RequestHeaderAuthenticator } from './authentication/request-header.ts'
import { issuerDiscoveryPaths } from './authentication/issuer-discovery.ts'
import { LegacyTokens } from './authentication/legacy-tokens.ts'
import { ServiceAccountTokens } from './authentication/service-account-tokens.ts'
import { parseTokenFile } from './authentication/token-file.ts'
import { createAuthorization } from './authorization/index.ts'
import { createBootstrap } from './bootstrap/index.ts'
import type { PreparedCertificates } from './certificates/index.ts'
import type { SecurityParts, ServerDependencies } from './interfaces.ts'
import { createConnectHandlers, kubeletAccess } from './proxy/index.ts'
import { createVirtualResources, tokenRequest } from './virtual/index.ts'

/**
 * Builds authentication, authorization, admission, allocation, bootstrap, reviews and the proxies to kubelets over a store that is loaded.
 * `certificates` may be replaced by a renewed set (`replaceCertificates`). Throws where a flag or a file that it names is wrong.
 */
export function createSecurity(dependencies: ServerDependencies & { certificates: PreparedCertificates }): SecurityParts & { proxyClient(): CertificateAndKey, replaceCertificates(renewed: PreparedCertificates): void } {
  const { options, store, log } = dependencies
  const now = Date.now
  let { certificates } = dependencies
  const clientsOf = (ca: string | undefined): ClientCertificates | undefined => (ca === undefined ? undefined : new ClientCertificates(ca, now))
  const kubeletCa = options.kubeletCertificateAuthority ? readFileSync(options.kubeletCertificateAuthority, 'utf8') : undefined
  let clientCertificates = clientsOf(certificates.clientCa)
  const requestHeaderNames = {
    usernameHeaders: options.requestHeaderUsernameHeaders, uidHeaders: options.requestHeaderUidHeaders, groupHeaders: options.requestHeaderGroupHeaders,
    extraHeadersPrefix: options.requestHeaderExtraHeadersPrefix,
  }
  const proxiesOf = (ca: string): RequestHeaderAuthenticator => new RequestHeaderAuthenticator(ca, options.requestHeaderAllowedNames, requestHeaderNames, now)
  let requestHeaders = proxiesOf(certificates.requestHeaderCa)
  const audiences = options.apiAudiences.length > 0 ? options.apiAudiences : [options.serviceAccountIssuer]
  const keys = certificates.serviceAccountKeys.map(verificationKey)
  const accounts = new ServiceAccountTokens({ issuer: options.serviceAccountIssuer, keys, store, now })
  const others = [...(options.enableBootstrapTokenAuth ? [new BootstrapTokens({ store, now, log })] : []), new LegacyTokens({ keys, store, now, log })]
  const tokens = new TokenAuthenticator(options.tokenAuthFile ? parseTokenFile(readFileSync(options.tokenAuthFile, 'utf8')) : new Map(), accounts, audiences, others)
  const authorization = createAuthorization(options.authorizationModes, store)
  const addresses = new ClusterIpAllocator(store, options.serviceClusterIpRange)
  const nodePorts = new NodePortAllocator(dependencies.storage, options.serviceNodePortRange)
  const issuer = {
    issuer: options.serviceAccountIssuer, audiences, sign: jwtSigner(certificates.serviceAccountSigningKey), maxSeconds: options.serviceAccountMaxTokenExpirationSeconds, now,
  }
  const kubelet = kubeletAccess(dependencies, () => ({ ...certificates.kubeletClient, ca: kubeletCa }))
  return {
    authenticator: new RequestAuthenticator({
      certificates: () => clientCertificates, requestHeaders: () => requestHeaders, tokens, audiences, anonymous: options.anonymousAuth, authorizer: authorization.authorizer, log,
    }),
    authorizer: authorization.authorizer,
    admission: createAdmission(options, store, authorization.authorizer),
    writeHooks: [serviceHook(addresses, nodePorts), ...authorization.hooks],
    virtualResources: createVirtualResources({ authorization, tokens, audiences, modes: options.authorizationModes }),
    virtualSubresources: [tokenRequest(store, issuer)],
    connectHandlers: createConnectHandlers(store, kubelet, authorization.authorizer),
    bootstrap: createBootstrap({ ...dependencies, get certificates() { return certificates } }, { addresses, nodePorts }, authorization.rbac),
    paths: issuerDiscoveryPaths(dependencies, keys),
    proxyClient: () => certificates.proxyClient,
    replaceCertificates(renewed) {
      if (renewed.clientCa !== certificates.clientCa) clientCertificates = clientsOf(renewed.clientCa)
      if (renewed.requestHeaderCa !== certificates.requestHeaderCa) requestHeaders = proxiesOf(renewed.requestHeaderCa)
      certificates = renewed
    },
  }
}
