import type { Container, ContainerFilter, ContainerState, ContainerStatus, Init, ListContainersRequest } from '@berth/cri'
import { matchesLabels } from '../sandbox/status.ts'
import type { Shim } from '../shim.ts'
import type { ContainerRecord } from '../state/record.ts'
import { criResources } from './resources.ts'

const states: Record<ContainerRecord['state'], ContainerState> = { created: 'CONTAINER_CREATED', running: 'CONTAINER_RUNNING', exited: 'CONTAINER_EXITED' }

/** What containerd and kubelets call a container that could not be started. */
const startError = { exitCode: 128, reason: 'StartError' }

export function matchesContainer(record: ContainerRecord, filter: ContainerFilter | undefined): boolean {
  if (!filter) return true
  if (filter.id !== '' && !record.id.startsWith(filter.id)) return false
  if (filter.podSandboxId !== '' && !record.spec.sandboxId.startsWith(filter.podSandboxId)) return false
  if (filter.state && filter.state.state !== states[record.state]) return false
  return matchesLabels(record.spec.labels, filter.labelSelector)
}

/** A container as lists have it. */
export function listedContainer(record: ContainerRecord): Init<Container> {
  const { spec } = record
  return {
    id: record.id,
    podSandboxId: spec.sandboxId,
    metadata: spec.metadata,
    image: { image: spec.image, userSpecifiedImage: spec.image },
    imageRef: record.imageId,
    imageId: record.imageId,
    state: states[record.state],
    createdAt: record.createdAt,
    labels: spec.labels,
    annotations: spec.annotations,
  }
}

/** ListContainers, newest first. */
export async function listContainers(shim: Shim, { filter }: ListContainersRequest): Promise<Init<Container>[]> {
  const records = await shim.store.containers()
  return records
    .filter((record) => matchesContainer(record, filter))
    .toSorted((left, right) => Number(right.createdAt - left.createdAt))
    .map(listedContainer)
}

/** How a container ended, as kubelets show it. */
export function ending(record: ContainerRecord): { exitCode: number; reason: string; message: string } {
  if (record.state !== 'exited') return { exitCode: 0, reason: '', message: '' }
  if (record.startedAt === 0n) return { ...startError, message: record.error }
  const reason = record.oomKilled ? 'OOMKilled' : record.exitCode === 0 ? 'Completed' : 'Error'
  return { exitCode: record.exitCode, reason, message: record.error }
}

/** The Engine can note a short life's start after its end, and a container that never ran has no end: it is never before what came first. */
function finishedAt({ createdAt, startedAt, finishedAt: noted }: ContainerRecord): bigint {
  return [createdAt, startedAt, noted].reduce((latest, time) => (time > latest ? time : latest))
}

/** A container's status. */
export function containerStatus(record: ContainerRecord): Init<ContainerStatus> {
  const { spec } = record
  return {
    id: record.id,
    metadata: spec.metadata,
    state: states[record.state],
    createdAt: record.createdAt,
    startedAt: record.startedAt,
    finishedAt: record.state === 'exited' ? finishedAt(record) : 0n,
    ...ending(record),
    image: { image: spec.image, userSpecifiedImage: spec.image },
    imageRef: record.imageId,
    imageId: record.imageId,
    labels: spec.labels,
    annotations: spec.annotations,
    mounts: spec.mounts.map((mount) => ({ ...mount, propagation: mount.propagation as never })),
    logPath: spec.logPath,
    resources: criResources(record),
    ...(spec.identity ? { user: { linux: { uid: BigInt(spec.identity.uid), gid: BigInt(spec.identity.gid), supplementalGroups: spec.identity.supplementalGroups.map(BigInt) } } } : {}),
    stopSignal: spec.stopSignal,
  }
}
