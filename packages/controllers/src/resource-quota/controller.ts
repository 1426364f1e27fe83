import { core } from '@berth/api'
import type { Pod, ResourceQuota } from '@berth/api/types/core/v1'
import { errorOf, keyOf, readText, type KubeClient } from '@berth/kube'
import { textsOf, type QuotaResource } from '@berth/pod-rules'
import { keyedController } from '../common/keyed-controller.ts'
import { isPodTerminal } from '../common/pods.ts'
import type { Controller } from '../context.ts'
import { countedKinds, usedOf } from './plan.ts'

/** How often quotas are counted again whose kinds are not followed. */
const recountMs = 30_000
const pageSize = 500

/** The objects of a kind in a namespace, whole for kinds whose fields count, else the metadata alone. None where the kind is not served. */
async function objectsOf(client: KubeClient, { group, resource }: QuotaResource, namespace: string): Promise<object[]> {
  const base = group === '' ? '/api/v1' : await preferredVersion(client, group)
  if (base === undefined) return []
  const objects: object[] = []
  let token = ''
  do {
    const path = `${base}/namespaces/${namespace}/${resource}?limit=${pageSize}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`
    const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json' } })
    if (response.status === 404) return []
    if (response.status !== 200) throw await errorOf(response)
    const list = JSON.parse(await readText(response.body)) as { items: object[]; metadata: { continue?: string } }
    objects.push(...list.items)
    token = list.metadata.continue ?? ''
  } while (token !== '')
  return objects
}

async function preferredVersion(client: KubeClient, group: string): Promise<string | undefined> {
  const response = await client.raw({ method: 'GET', path: `/apis/${group}`, headers: { accept: 'application/json' } })
  if (response.status === 404) return undefined
  if (response.status !== 200) throw await errorOf(response)
  const { preferredVersion: preferred } = JSON.parse(await readText(response.body)) as { preferredVersion: { groupVersion: string } }
  return `/apis/${preferred.groupVersion}`
}

/** Keeps quotas' status: what they limit, and what is used of it. Admission counts what comes; this counts what goes, and what was counted and never came. */
export const resourceQuotaController: Controller = {
  name: 'resourcequota-controller',
  async run(context) {
    const { client, clock } = context
    const quotas = context.informers.for(core.resourcequotas)
    const followed = { pods: context.informers.for(core.pods), services: context.informers.for(core.services), persistentvolumeclaims: context.informers.for(core.persistentvolumeclaims) }
    const isFollowed = ({ group, resource }: QuotaResource): boolean => group === '' && Object.hasOwn(followed, resource)
    const frame = keyedController({
      name: 'resourcequota_primary', workers: 5, context, informers: [quotas, ...Object.values(followed)],
      async sync(key, queue) {
        const quota = quotas.store.get(key)
        if (!quota || quota.metadata.deletionTimestamp !== undefined) return
        const namespace = quota.metadata.namespace ?? ''
        const objects: { kind: QuotaResource; object: object }[] = []
        const kinds = countedKinds(quota)
        for (const kind of kinds) {
          const found = isFollowed(kind) ? followed[kind.resource as keyof typeof followed].store.list().filter(({ metadata }) => metadata.namespace === namespace) : await objectsOf(client, kind, namespace)
          for (const object of found) objects.push({ kind, object })
        }
        const status = { hard: quota.spec?.hard ?? {}, used: textsOf(usedOf(quota, objects, clock.now())) }
        if (JSON.stringify(sorted(quota.status)) !== JSON.stringify(sorted(status))) await client.update(core.resourcequotas, { ...quota, status }, { subresource: 'status' })
        if (kinds.some((kind) => !isFollowed(kind))) queue.addAfter(key, recountMs)
      },
    })
    const recount = (namespace: string | undefined): void => {
      for (const quota of quotas.store.list()) if (quota.metadata.namespace === namespace) frame.queue.add(keyOf(quota))
    }
    const changed = (old: ResourceQuota, now: ResourceQuota): boolean => JSON.stringify(old.spec) !== JSON.stringify(now.spec) || JSON.stringify(now.spec?.hard ?? {}) !== JSON.stringify(now.status?.hard ?? {})
    const ended = (old: Pod, now: Pod): boolean => !isPodTerminal(old) && isPodTerminal(now)
    const off = [
      quotas.on({ added: (quota) => frame.queue.add(keyOf(quota)), updated(old, now) { if (changed(old, now)) frame.queue.add(keyOf(now)) } }),
      followed.pods.on({ updated(old, now) { if (ended(old, now)) recount(now.metadata.namespace) }, deleted: (pod) => recount(pod.metadata.namespace) }),
      followed.services.on({ updated(old, now) { if (old.spec?.type !== now.spec?.type) recount(now.metadata.namespace) }, deleted: (service) => recount(service.metadata.namespace) }),
      followed.persistentvolumeclaims.on({ deleted: (claim) => recount(claim.metadata.namespace) }),
    ]
    await frame.run()
    for (const each of off) each()
  },
}

/** With names in order: the same amounts are the same text. */
function sorted(status: ResourceQuota['status']): unknown {
  const list = (amounts: Record<string, string> | undefined): unknown => Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return [list(status?.hard), list(status?.used)]
}
