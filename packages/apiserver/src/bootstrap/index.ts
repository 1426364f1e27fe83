import { repairHook } from '../allocators/index.ts'
import type { ClusterIpAllocator, NodePortAllocator } from '../allocators/index.ts'
import type { BootstrapHook, ServerDependencies } from '../interfaces.ts'
import { authenticationInfoHook } from './authentication-info-hook.ts'
import { flowControlObjectsHook } from './flow-control-hooks.ts'
import { kubernetesServiceHook } from './kubernetes-service-hook.ts'
import { namespacesHook } from './namespaces-hook.ts'
import { priorityClassesHook } from './priority-classes-hook.ts'
import { rbacHook } from './rbac-hook.ts'
import { serviceCidrHook } from './service-cidr-hook.ts'

/** What a server makes for itself at start. Adding something is a line here. */
export function createBootstrap(dependencies: ServerDependencies, allocators: { addresses: ClusterIpAllocator, nodePorts: NodePortAllocator }, rbac: boolean): BootstrapHook[] {
  const { store, options, log } = dependencies
  return [
    namespacesHook(store, log),
    priorityClassesHook(store),
    flowControlObjectsHook(store, log),
    serviceCidrHook(store, options.serviceClusterIpRange, log),
    kubernetesServiceHook(dependencies),
    authenticationInfoHook(dependencies),
    repairHook(store, allocators.addresses, allocators.nodePorts, log),
    ...(rbac ? [rbacHook(store)] : []),
  ]
}
