import { type ContainerEventResponse, type ContainerEventType, CriError, type Init } from '@berth/cri'
import { containerStatus } from './containers/status.ts'
import { sandboxStatus } from './sandbox/status.ts'
import type { Shim } from './shim.ts'
import { isSandbox } from './state/record.ts'
import type { Change } from './state/store.ts'

const types: Record<Change['kind'], ContainerEventType> = {
  created: 'CONTAINER_CREATED_EVENT',
  started: 'CONTAINER_STARTED_EVENT',
  stopped: 'CONTAINER_STOPPED_EVENT',
  deleted: 'CONTAINER_DELETED_EVENT',
}

/** How many events may wait for a reader who is slow; beyond that the stream ends, and the kubelet lists everything anew. */
const maxWaiting = 4096

/** GetContainerEvents: what happens from now on, each with the sandbox and its containers as they are when the event is sent. */
export async function* containerEvents(shim: Shim, signal: AbortSignal): AsyncGenerator<Init<ContainerEventResponse>> {
  const waiting: Change[] = []
  let wake = (): void => {}
  const take = (change: Change): void => {
    waiting.push(change)
    wake()
  }
  shim.store.on('change', take)
  signal.addEventListener('abort', () => wake(), { once: true })
  try {
    while (!signal.aborted) {
      const change = waiting.shift()
      if (!change) {
        await new Promise<void>((resolve) => (wake = resolve))
        continue
      }
      if (waiting.length > maxWaiting) throw new CriError('ResourceExhausted', 'events are read too slowly')
      yield await eventOf(shim, change)
    }
  } finally {
    shim.store.off('change', take)
  }
}

async function eventOf(shim: Shim, { kind, record, at }: Change): Promise<Init<ContainerEventResponse>> {
  const sandboxId = isSandbox(record) ? record.id : record.spec.kind === 'container' ? record.spec.sandboxId : ''
  const sandbox = await shim.store.sandbox(sandboxId)
  const containers = await shim.store.containersOf(sandboxId)
  return {
    containerId: record.id,
    containerEventType: types[kind],
    createdAt: at,
    ...(sandbox ? { podSandboxStatus: await sandboxStatus(shim, sandbox) } : {}),
    containersStatuses: containers.map(containerStatus),
  }
}
