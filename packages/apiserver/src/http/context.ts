// What a verb's handler is given.
import type { Registry } from '../registry/registry.ts'
import type { ResourceRuntime } from '../registry/resource-runtime.ts'
import type { AdmissionChain } from '../registry/admission-chain.ts'
import { managerName } from '../registry/scope.ts'
import type { WriteScope } from '../registry/scope.ts'
import { authorizationForbidden } from '../authorization/index.ts'
import type { ApiRequest, AuthorizationAttributes, Authorizer, ConnectHandler, RequestInfo, UserInfo, VirtualResource, VirtualSubresource } from '../interfaces.ts'
import type { WriteOptions } from './query-options.ts'

/** What all handlers share. */
export interface HandlerDependencies {
  registry: Registry
  admission: AdmissionChain
  virtualResources: readonly VirtualResource[]
  virtualSubresources: readonly VirtualSubresource[]
  connectHandlers: readonly ConnectHandler[]
  minRequestTimeoutSeconds: number
  authorizer: Authorizer
}

/** One authenticated and authorized request for a stored resource. */
export interface ResourceContext {
  deps: HandlerDependencies
  request: ApiRequest
  info: RequestInfo
  query: URLSearchParams
  user: UserInfo
  runtime: ResourceRuntime
  /** Becomes Warning headers. */
  warn(text: string): void
}

/** The scope of a write of this request. */
export function scopeOf(context: ResourceContext, options: Pick<WriteOptions, 'dryRun' | 'fieldManager'> & { raw?: Record<string, unknown> }, kind: string): WriteScope {
  return {
    user: context.user, dryRun: options.dryRun, warn: context.warn, admission: context.deps.admission,
    manager: managerName(options.fieldManager, context.request.headers['user-agent']),
    options: { apiVersion: 'meta.k8s.io/v1', kind, ...(options.dryRun && { dryRun: ['All'] }), ...(options.fieldManager && { fieldManager: options.fieldManager }), ...options.raw },
    authorizeCreate: () => requireCreate(context),
  }
}

/** A PUT or an apply that creates needs the verb `create` too. */
async function requireCreate({ deps, info, user }: ResourceContext): Promise<void> {
  const attributes: AuthorizationAttributes = {
    user, verb: 'create', resourceRequest: true, path: info.path, namespace: info.namespace, apiGroup: info.apiGroup, apiVersion: info.apiVersion,
    resource: info.resource, subresource: info.subresource, name: info.name,
  }
  const { decision, reason } = await deps.authorizer.authorize(attributes)
  if (decision !== 'allow') throw authorizationForbidden(attributes, reason)
}
