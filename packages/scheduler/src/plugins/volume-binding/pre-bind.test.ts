import { core } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import type { KubeClient } from '@berth/kube'
import { expect, test } from 'vitest'
import type { Cache } from '../../cache/cache.ts'
import { CycleState } from '../../framework/cycle-state.ts'
import { podInfoOf } from '../../framework/pod-info.ts'
import { volumeBinding } from '../volume-binding.ts'
import { boundClaim, cacheOf, claimOf, claimVolume, classOf, contextOf, inZone, nodeOf, podOf, setObject, volumeOf } from './test-storage.ts'

const zones = [nodeOf('a', { zone: 'a' })]
const pod = podOf('p', [claimVolume('c')])

/** A client that writes nothing; what it is asked to write, with the version that the API would give it. */
function recorder(patches: unknown[]): KubeClient {
  const patch = async (resource: { resource: string }, name: string, { body }: { body: { metadata: object; spec?: object } }): Promise<unknown> => {
    patches.push([resource.resource, name, body])
    const spec = resource.resource === 'persistentvolumes' ? volumeOf(name).spec : claimOf(name).spec
    return { metadata: { name, namespace: 'ns', ...body.metadata, resourceVersion: '5' }, spec: { ...spec, ...body.spec } }
  }
  return { patch } as unknown as KubeClient
}

/** Decides, reserves, counts the pod as placed, and binds its volumes while `then` happens in the cluster. */
async function bindWhile(given: Parameters<typeof cacheOf>[0], then: (cache: Cache) => void, timeoutSeconds = 600): Promise<{ patches: unknown[]; error?: string }> {
  const cache = cacheOf({ nodes: zones, ...given })
  const patches: unknown[] = []
  const plugin = volumeBinding(contextOf(cache, { client: recorder(patches), args: { VolumeBinding: { bindTimeoutSeconds: timeoutSeconds } } }))
  const state = new CycleState()
  const info = podInfoOf(pod)
  plugin.preFilter?.(state, info, cache)
  for (const node of cache.nodes) plugin.filter?.(state, info, node)
  plugin.reserve?.(state, info, 'a')
  cache.apply({ type: 'assume', pod: { ...pod, spec: { ...pod.spec, nodeName: 'a' } }, node: 'a', sequence: 1 })
  setTimeout(() => then(cache), 20)
  try {
    expect(await plugin.preBind?.(state, info, 'a', AbortSignal.timeout(5000))).toBeUndefined()
    return { patches }
  } catch (error) {
    return { patches, error: (error as Error).message }
  }
}

const existing = { claims: [claimOf('c')], classes: [classOf('late', { provisioner: 'kubernetes.io/no-provisioner' })], volumes: [volumeOf('pv', { nodeAffinity: inZone('a') })] }
const toBeMade = { claims: [claimOf('c')], classes: [classOf('late')] }
const newer = <T extends PersistentVolume | PersistentVolumeClaim>(object: T, annotations: Record<string, string> = {}): T => ({ ...object, metadata: { ...object.metadata, resourceVersion: '6', annotations: { ...object.metadata.annotations, ...annotations } } })
const claimRef = { name: 'c', namespace: 'ns', uid: 'uid-c' }
const onA = { 'volume.kubernetes.io/selected-node': 'a' }

test('the volume gets the claim, and the pod is bound when both say so', async () => {
  const { patches, error } = await bindWhile(existing, (cache) => {
    setObject(cache, core.persistentvolumes, newer(volumeOf('pv', { nodeAffinity: inZone('a'), claimRef })))
    setObject(cache, core.persistentvolumeclaims, newer(boundClaim('c', 'pv')))
  })
  expect(error).toBeUndefined()
  expect(patches).toEqual([['persistentvolumes', 'pv', {
    metadata: { resourceVersion: '1', annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } },
    spec: { claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', ...claimRef, resourceVersion: '1' } },
  }]])
})

test('the claim gets the node, and the pod is bound when a volume was made that the node reaches', async () => {
  const { patches, error } = await bindWhile(toBeMade, (cache) => {
    setObject(cache, core.persistentvolumes, volumeOf('made', { nodeAffinity: inZone('a'), claimRef }))
    setObject(cache, core.persistentvolumeclaims, newer(boundClaim('c', 'made'), onA))
  })
  expect(error).toBeUndefined()
  expect(patches).toEqual([['persistentvolumeclaims', 'c', { metadata: { resourceVersion: '1', annotations: onA } }]])
})

test.each<[string, Parameters<typeof cacheOf>[0], (cache: Cache) => void, string]>([
  ['the provisioner gives the node back', toBeMade, (cache) => setObject(cache, core.persistentvolumeclaims, newer(claimOf('c'))), 'provisioning failed for PVC "c"'],
  ['the volume that was made is out of reach', toBeMade, (cache) => {
    setObject(cache, core.persistentvolumes, volumeOf('made', { nodeAffinity: inZone('b'), claimRef }))
    setObject(cache, core.persistentvolumeclaims, newer(boundClaim('c', 'made'), onA))
  }, 'pv "made" node affinity doesn\'t match node "a": no matching NodeSelectorTerms'],
  ['the volume is taken away again', existing, (cache) => setObject(cache, core.persistentvolumes, newer(volumeOf('pv', { nodeAffinity: inZone('a') }))), 'ClaimRef got reset for pv "pv"'],
  ['the volume goes', existing, (cache) => cache.apply({ type: 'object-gone', resource: 'persistentvolumes', key: 'pv' }), 'failed to check binding: could not find v1.PersistentVolume "pv"'],
  ['the claim goes', toBeMade, (cache) => cache.apply({ type: 'object-gone', resource: 'persistentvolumeclaims', key: 'ns/c' }), 'failed to check provisioning pvc: could not find v1.PersistentVolumeClaim "ns/c"'],
  ['the pod goes', existing, (cache) => cache.apply({ type: 'pod-gone', key: 'ns/p' }), 'pod does not exist any more: pod "p" not found'],
  ['the node goes', existing, (cache) => cache.apply({ type: 'node-gone', name: 'a' }), 'failed to get node "a": node "a" not found'],
])('binding ends when %s', async (_, given, then, why) => {
  expect((await bindWhile(given, then)).error).toBe(`binding volumes: ${why}`)
})

test('binding ends when it takes too long', async () => {
  expect((await bindWhile(existing, () => {}, 0)).error).toBe('binding volumes: context deadline exceeded')
})
