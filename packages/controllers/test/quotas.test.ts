import { afterAll, beforeAll, expect, test } from 'vitest'
import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { isForbidden } from '@berth/kube'
import { startCluster, type TestCluster } from './cluster.ts'

const namespace = 'default'
let cluster: TestCluster
beforeAll(async () => { cluster = await startCluster() }, 30_000)
afterAll(() => cluster.stop())

const used = async (): Promise<unknown> => (await cluster.client.get(core.resourcequotas, 'q', { namespace })).status?.used
const pod = (name: string): Pod => ({ metadata: { name, namespace }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }] } })

test('of many at once exactly those that fit are let in; what goes makes room again', async () => {
  const { client } = cluster
  await expect.poll(() => client.get(core.serviceaccounts, 'default', { namespace }).then(() => true, () => false), { timeout: 10_000 }).toBe(true)
  await client.create(core.resourcequotas, { metadata: { name: 'q', namespace }, spec: { hard: { pods: '7', 'requests.cpu': '2', 'count/configmaps': '3' } } })
  await expect.poll(used, { timeout: 10_000 }).toEqual({ pods: '0', 'requests.cpu': '0', 'count/configmaps': '1' })
  const results = await Promise.allSettled(Array.from({ length: 25 }, (_, i) => client.create(core.pods, pod(`p${i}`))))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(7)
  const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))
  expect(refusals.every(isForbidden)).toBe(true)
  expect(refusals[0]?.message).toMatch(/exceeded quota: q, requested: pods=1, used: pods=7, limited: pods=7$/)
  expect((await client.list(core.pods, { namespace })).items).toHaveLength(7)
  expect(await used()).toEqual({ pods: '7', 'requests.cpu': '700m', 'count/configmaps': '1' })

  const [first, second] = (await client.list(core.pods, { namespace })).items
  for (const gone of [first, second]) await client.delete(core.pods, gone?.metadata.name ?? '', { namespace, gracePeriodSeconds: 0 })
  await expect.poll(used, { timeout: 10_000 }).toEqual({ pods: '5', 'requests.cpu': '500m', 'count/configmaps': '1' })
  await client.create(core.pods, pod('again'))
}, 40_000)

test('a change of the quota itself is taken over', async () => {
  const { client } = cluster
  await client.patch(core.resourcequotas, 'q', { type: 'merge', body: { spec: { hard: { pods: '100', 'count/configmaps': null } } } }, { namespace })
  await expect.poll(async () => (await client.get(core.resourcequotas, 'q', { namespace })).status?.hard, { timeout: 10_000 }).toEqual({ pods: '100', 'requests.cpu': '2' })
  await client.create(core.configmaps, { metadata: { name: 'free', namespace } })
})
