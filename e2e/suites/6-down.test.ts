import fs from 'node:fs'
import { describe, expect, inject, test } from 'vitest'
import type { ConfigMap, Pod } from '@berth/api/types/core/v1'
import { berth } from '../support/berth.ts'
import { entries, guestbookUrl, isReady, podsOf, restarts } from '../support/guestbook.ts'
import { get, hasKubectl, kubectl } from '../support/kubectl.ts'
import { snapshotOfMachine } from '../support/machine.ts'
import { eventually } from '../support/wait.ts'

describe.skipIf(!hasKubectl)('down and up again (needs kubectl)', () => {
  test('down leaves the machine as it was; up brings the same objects, in new sandboxes', async () => {
    await kubectl(['create', 'configmap', 'kept', '--from-literal=a=b'])
    const { metadata: kept } = await get<ConfigMap>('configmap', 'kept')
    const before = [...await podsOf('app=guestbook'), ...await podsOf('app=redis')]
    const { code, stderr } = await berth(['down'])
    expect([code, stderr]).toEqual([0, ''])
    expect(await snapshotOfMachine(inject('dataDir'))).toEqual(inject('machineBefore'))
    expect((await berth(['status'])).code).toBe(3)

    const up = await berth(['up'])
    expect([up.code, up.stderr]).toEqual([0, ''])
    expect((await get<ConfigMap>('configmap', 'kept')).metadata).toEqual(kept)
    await eventually('the same pods are Ready again', async () => {
      const now = [...await podsOf('app=guestbook'), ...await podsOf('app=redis')]
      return now.length === 6 && now.every((pod) => isReady(pod) && restarts(pod) > restarts(before.find((b) => b.metadata.uid === pod.metadata.uid) ?? pod) - 1)
    }, 150_000)
    const after = [...await podsOf('app=guestbook'), ...await podsOf('app=redis')]
    expect(after.map((pod) => pod.metadata.uid).sort()).toEqual(before.map((pod) => pod.metadata.uid).sort())
    const restartsOf = (pods: Pod[]): Record<string, number> => Object.fromEntries(pods.map((pod) => [pod.metadata.name, restarts(pod)]))
    const earlier = restartsOf(before)
    for (const [name, count] of Object.entries(restartsOf(after))) expect([name, count]).toEqual([name, (earlier[name] ?? 0) + 1])
    await eventually('the page answers', async () => (await entries(await guestbookUrl())).pod !== '')
  })

  test('a second up finds everything and changes nothing', async () => {
    const before = (await podsOf('app=guestbook')).map((pod) => pod.status?.containerStatuses?.[0]?.containerID)
    expect((await berth(['up'])).code).toBe(0)
    expect((await podsOf('app=guestbook')).map((pod) => pod.status?.containerStatuses?.[0]?.containerID)).toEqual(before)
  })

  test('down --purge removes the data too', async () => {
    expect((await berth(['down', '--purge'])).code).toBe(0)
    expect(fs.existsSync(inject('dataDir'))).toBe(false)
    expect(await snapshotOfMachine(inject('dataDir'))).toEqual(inject('machineBefore'))
    expect((await berth(['status'])).code).toBe(4)
  })
})
