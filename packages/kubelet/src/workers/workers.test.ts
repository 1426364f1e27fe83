import type { Container, PodSandbox } from '@berth/cri'
import type { PodStatus } from '@berth/api/types/core/v1'
import { describe, expect, it } from 'vitest'
import { labels } from '../runtime/records.ts'
import { testPod } from '../pods/test-pods.ts'
import { planGarbage } from './housekeeping.ts'
import { gracePeriodOf } from './kill.ts'
import { overLocalLimit } from './local-storage.ts'
import { statusPatch } from './status-manager.ts'

describe('the patch of a status', () => {
  const live: PodStatus = { phase: 'Pending', qosClass: 'BestEffort', conditions: [{ type: 'Ready', status: 'False', reason: 'R', message: 'M' }, { type: 'PodScheduled', status: 'True' }] }
  it('is nothing where nothing of ours differs', () => {
    expect(statusPatch({ ...live, containerStatuses: [{ name: 'a', image: '', imageID: '', ready: false, restartCount: 0 }] }, { ...live, containerStatuses: [{ name: 'a', image: '', imageID: '', ready: false, restartCount: 0, lastState: {} }] })).toBeUndefined()
    expect(statusPatch(live, { ...live, conditions: [{ type: 'Ready', status: 'False', reason: 'R', message: 'M' }] })).toBeUndefined()
  })
  it('has the changed fields only, and unsets what a condition no longer has', () => {
    expect(statusPatch(live, { ...live, phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })).toEqual({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }] })
  })
  it('replaces addresses whole and removes what is gone', () => {
    expect(statusPatch({ podIP: 'a', podIPs: [{ ip: 'a' }], message: 'x' }, { podIP: 'b', podIPs: [{ ip: 'b' }] })).toEqual({ podIP: 'b', podIPs: [{ $patch: 'replace' }, { ip: 'b' }], message: null })
  })
  it('never takes over a condition of others', () => {
    expect(statusPatch({ conditions: [{ type: 'PodScheduled', status: 'True' }] }, { conditions: [{ type: 'PodScheduled', status: 'False' }] })).toBeUndefined()
  })
})

describe('the grace period', () => {
  const deleted = (seconds: number) => testPod({ terminationGracePeriodSeconds: 60 }, { deletionTimestamp: 'x', deletionGracePeriodSeconds: seconds })
  it.each([
    ['the default', testPod(), undefined, undefined, 30], ['the spec\'s', testPod({ terminationGracePeriodSeconds: 60 }), undefined, undefined, 60], ['the deletion\'s', deleted(5), undefined, undefined, 5],
    ['at least a second', deleted(0), undefined, undefined, 1], ['only ever shorter', deleted(50), 10, undefined, 10], ['what is asked for', testPod(), undefined, 3, 3],
  ] as const)('is %s', (_, pod, current, override, expected) => expect(gracePeriodOf(pod, current, override)).toBe(expected))
})

describe('garbage in the runtime', () => {
  const c = (id: string, name: string, createdAt: number, state: Container['state'] = 'CONTAINER_EXITED', podSandboxId = 's2'): Container => ({
    id, podSandboxId, imageRef: '', imageId: '', state, createdAt: BigInt(createdAt) * 1_000_000n, labels: { [labels.podUid]: 'u', [labels.containerName]: name }, annotations: {},
  })
  const s = (id: string, createdAt: number, state: PodSandbox['state'] = 'SANDBOX_NOTREADY'): PodSandbox => ({ id, state, createdAt: BigInt(createdAt) * 1_000_000n, labels: { [labels.podUid]: 'u' }, annotations: {}, runtimeHandler: '' })
  it('is every instance but the newest and the one before it', () => {
    expect(planGarbage([], [c('1', 'a', 1), c('2', 'a', 2), c('3', 'a', 3, 'CONTAINER_RUNNING'), c('x', 'b', 1)], () => true, 0, 100).containers).toEqual(['1'])
  })
  it('is old sandboxes without containers', () => {
    expect(planGarbage([s('s1', 1), s('s2', 2), s('s3', 3)], [c('1', 'a', 2)], () => true, 0, 100).sandboxes).toEqual(['s1'])
  })
  it('is nothing of pods that are not ours to judge', () => {
    expect(planGarbage([s('s1', 1), s('s2', 2)], [c('1', 'a', 1), c('2', 'a', 2), c('3', 'a', 3)], () => false, 0, 100)).toEqual({ containers: [], sandboxes: [] })
  })
})

describe('limits of local storage', () => {
  const limits = { 'ephemeral-storage': '1Ki' }
  it.each([
    ['a full emptyDir', testPod({ volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Ki' } }] }), { v: 1025n }, {}, 'Usage of EmptyDir volume "v" exceeds the limit "1Ki". '],
    ['one at its limit', testPod({ volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Ki' } }] }), { v: 1024n }, {}, undefined],
    ['a container that writes too much', testPod({ containers: [{ name: 'a', resources: { limits } }] }), {}, { a: 2000n }, 'Container a exceeded its local ephemeral storage limit "1Ki". '],
    ['all together', testPod({ containers: [{ name: 'a', resources: { limits } }], volumes: [{ name: 'v', emptyDir: {} }] }), { v: 600n }, { a: 600n }, 'Pod ephemeral local storage usage exceeds the total limit of containers 1024. '],
    ['no limit', testPod({ volumes: [{ name: 'v', emptyDir: {} }] }), { v: 10n ** 12n }, {}, undefined],
  ] as const)('%s', (_, pod, volumes, containers, expected) => {
    expect(overLocalLimit(pod, { volumes: new Map(Object.entries(volumes)), containers: new Map(Object.entries(containers)) })).toBe(expected)
  })
})
