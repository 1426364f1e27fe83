import type { Pod } from '@berth/api/types/core/v1'
import { computePodQos } from '@berth/pod-rules'
import { messageOf } from '../errors.ts'
import type { Machine } from '../node/machine.ts'
import { amountOf, podAmounts } from '../pods/resources.ts'
import type { WorkerContext } from '../workers/context.ts'
import { cgroupWrites, cpuShares, qosCgroupPath } from './values.ts'

/** Makes the cgroup that holds all pods and limits it to the node's capacity less what is reserved, and the cgroups of the QoS classes in it. */
export async function enforceAllocatable(context: WorkerContext, machine: Machine): Promise<void> {
  const { settings, cgroups, recorder, logger } = context
  if (!settings.cgroupsPerQos) return
  const capacity = { cpu: settings.capacityOverride?.cpu ?? String(machine.cpus), memory: settings.capacityOverride?.memory ?? String(machine.memoryBytes) }
  const left = (name: 'cpu' | 'memory'): bigint =>
    [settings.kubeReserved[name], settings.systemReserved[name]].reduce((sum, reserved) => sum - (reserved === undefined ? 0n : amountOf(name, reserved)), amountOf(name, capacity[name]))
  const path = qosCgroupPath(settings.cgroupRoot, 'Guaranteed')
  try {
    for (const qos of ['Guaranteed', 'Burstable', 'BestEffort'] as const) await cgroups.ensure(qosCgroupPath(settings.cgroupRoot, qos))
    if (settings.enforcePods) await cgroups.write(path, cgroupWrites({ cpuShares: cpuShares(left('cpu')), memoryLimit: left('memory') }, cgroups.version))
    await balanceQos(context, [])
  } catch (error) {
    const message = `Failed to update Node Allocatable Limits ${JSON.stringify(path)}: ${messageOf(error)}`
    logger.error(error, 'Failed to enforce node allocatable')
    recorder.event({ apiVersion: 'v1', kind: 'Node', name: settings.nodeName, uid: settings.nodeName }, 'Warning', 'FailedNodeAllocatableEnforcement', message)
  }
}

/** CPU shares of the QoS classes: Burstable pods together what they request, BestEffort pods what is left over. */
export async function balanceQos(context: WorkerContext, pods: readonly Pod[]): Promise<void> {
  const { settings, cgroups } = context
  if (!settings.cgroupsPerQos) return
  const burstable = pods.filter((p) => computePodQos(p) === 'Burstable').reduce((sum, p) => sum + (podAmounts(p, 'requests').cpu ?? 0n), 0n)
  await cgroups.write(qosCgroupPath(settings.cgroupRoot, 'Burstable'), cgroupWrites({ cpuShares: cpuShares(burstable) }, cgroups.version))
  await cgroups.write(qosCgroupPath(settings.cgroupRoot, 'BestEffort'), cgroupWrites({ cpuShares: 2 }, cgroups.version))
}
