export { ClusterIpAllocator } from './cluster-ip-allocator.ts'
export { NodePortAllocator } from './node-port-allocator.ts'
export { serviceHook } from './service-hook.ts'
export { repairHook } from './repair.ts'
