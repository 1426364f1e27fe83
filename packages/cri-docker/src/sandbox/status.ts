import type { Init, ListPodSandboxRequest, PodSandbox, PodSandboxFilter, PodSandboxStatus } from '@berth/cri'
import type { Shim } from '../shim.ts'
import type { SandboxRecord } from '../state/record.ts'

export function matchesLabels(labels: Readonly<Record<string, string>>, selector: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value)
}

function sandboxState(record: SandboxRecord): 'SANDBOX_READY' | 'SANDBOX_NOTREADY' {
  return record.state === 'running' ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY'
}

export function matchesSandbox(record: SandboxRecord, filter: PodSandboxFilter | undefined): boolean {
  if (!filter) return true
  if (filter.id !== '' && !record.id.startsWith(filter.id)) return false
  if (filter.state && filter.state.state !== sandboxState(record)) return false
  return matchesLabels(record.spec.labels, filter.labelSelector)
}

/** A sandbox as lists have it. */
export function listedSandbox(record: SandboxRecord): Init<PodSandbox> {
  const { metadata, labels, annotations, runtimeHandler } = record.spec
  return { id: record.id, metadata, state: sandboxState(record), createdAt: record.createdAt, labels, annotations, runtimeHandler }
}

/** ListPodSandbox, newest first. */
export async function listPodSandbox(shim: Shim, { filter }: ListPodSandboxRequest): Promise<Init<PodSandbox>[]> {
  const records = await shim.store.sandboxes()
  return records
    .filter((record) => matchesSandbox(record, filter))
    .toSorted((left, right) => Number(right.createdAt - left.createdAt))
    .map(listedSandbox)
}

/** A sandbox's status; its addresses come from the network's own record. */
export async function sandboxStatus(shim: Shim, record: SandboxRecord): Promise<Init<PodSandboxStatus>> {
  const { spec } = record
  const addresses = spec.namespaces.network === 'NODE' || record.state !== 'running' ? [] : await shim.network.addresses(record.id)
  const [ip = '', ...more] = addresses
  return {
    ...listedSandbox(record),
    network: { ip, additionalIps: more.map((address) => ({ ip: address })) },
    linux: { namespaces: { options: spec.namespaces } },
  }
}
