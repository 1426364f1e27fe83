import type { ContainerResources, Init, LinuxContainerResources } from '@berth/cri'
import type { EngineRecord } from '../state/record.ts'

/** The part of Docker's HostConfig that resources become. */
export interface DockerResources {
  CpuPeriod?: number
  CpuQuota?: number
  CpuShares?: number
  Memory?: number
  MemorySwap?: number
  CpusetCpus?: string
  CpusetMems?: string
}

/** Docker's resources of a container. What Docker cannot do (huge pages, the unified hierarchy) is cgroup-files.ts' matter. */
export function dockerResources(resources: LinuxContainerResources | undefined): DockerResources {
  if (!resources) return {}
  const result: DockerResources = {}
  if (resources.cpuPeriod !== 0n) result.CpuPeriod = Number(resources.cpuPeriod)
  if (resources.cpuQuota !== 0n) result.CpuQuota = Number(resources.cpuQuota)
  if (resources.cpuShares !== 0n) result.CpuShares = Number(resources.cpuShares)
  if (resources.memoryLimitInBytes > 0n) {
    result.Memory = Number(resources.memoryLimitInBytes)
    // Without a word on swap a container gets none beyond its memory.
    result.MemorySwap = resources.memorySwapLimitInBytes > 0n ? Number(resources.memorySwapLimitInBytes) : Number(resources.memoryLimitInBytes)
  }
  if (resources.cpusetCpus !== '') result.CpusetCpus = resources.cpusetCpus
  if (resources.cpusetMems !== '') result.CpusetMems = resources.cpusetMems
  return result
}

/** The resources that a container has, as CRI tells them. */
export function criResources({ resources }: Pick<EngineRecord, 'resources'>): Init<ContainerResources> {
  return {
    linux: {
      cpuPeriod: BigInt(resources.cpuPeriod),
      cpuQuota: BigInt(resources.cpuQuota),
      cpuShares: BigInt(resources.cpuShares),
      memoryLimitInBytes: BigInt(resources.memory),
      memorySwapLimitInBytes: BigInt(resources.memorySwap),
      oomScoreAdj: BigInt(resources.oomScoreAdj),
      cpusetCpus: resources.cpusetCpus,
      cpusetMems: resources.cpusetMems,
    },
  }
}
