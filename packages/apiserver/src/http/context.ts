// What a verb's handler is given.
import type { Registry } from '../registry/registry.ts'
import type { ResourceRuntime } from '../registry/resource-runtime.ts'
import type { AdmissionChain } from '../registry/admission-chain.ts'
import { managerName } from '../registry/scope.ts'
import type { WriteScope } from '../registry/scope.ts'
import type { ApiRequest, ConnectHandler, RequestInfo, UserInfo, VirtualResource, VirtualSubresource } from '../interfaces.ts'
import type { WriteOptions } from './query-options.ts'

/** What all handlers share. */
export interface HandlerDependencies {
  registry: Registry
  admission: AdmissionChain
  virtualResources: readonly VirtualResource[]
  virtualSubresources: readonly VirtualSubresource[]
  connectHandlers: readonly ConnectHandler[]
  minRequestTimeoutSeconds: number
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
  }
}
