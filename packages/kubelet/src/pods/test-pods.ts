import type { Container, Pod } from '@berth/api/types/core/v1'
import { annotations, type ContainerRecord, type PodRuntime, type SandboxRecord } from '../runtime/records.ts'
import { containerHash } from './containers.ts'

// Builders that the tables of this folder share.

export const testPod = (spec: Partial<Pod['spec']> = {}, metadata: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'u1', ...metadata },
  spec: { containers: [{ name: 'a', image: 'img' }], restartPolicy: 'Always', ...spec },
})

export const testSandbox = (more: Partial<SandboxRecord> = {}): SandboxRecord => ({
  id: 's1', attempt: 0, ready: true, createdAt: 1, ips: ['10.0.0.1'], hostNetwork: false, name: 'p', namespace: 'ns', uid: 'u1', labels: {}, ...more,
})

/** An instance of `c` as the runtime tells of it; its id is the container's name and the attempt. */
export function testRecord(c: Container, state: ContainerRecord['state'], more: Partial<ContainerRecord> & { restartCount?: number } = {}): ContainerRecord {
  const { restartCount = 0, ...rest } = more
  return {
    id: `${c.name}-${restartCount}`, sandboxId: 's1', name: c.name, attempt: restartCount, state, createdAt: 10 + restartCount, startedAt: 1000, finishedAt: state === 'exited' ? 2000 : 0, exitCode: 0,
    reason: '', message: '', image: c.image ?? '', imageRef: 'sha256:1', logPath: '', labels: {}, annotations: { [annotations.hash]: containerHash(c), [annotations.restartCount]: String(restartCount) }, ...rest,
  }
}

export const testRuntime = (containers: ContainerRecord[] = [], sandboxes: SandboxRecord[] = [testSandbox()]): PodRuntime => ({ uid: 'u1', name: 'p', namespace: 'ns', sandboxes, containers })
