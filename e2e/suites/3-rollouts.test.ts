import { describe, expect, test } from 'vitest'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { entries, guestbookUrl, isReady, podsOf, restarts } from '../support/guestbook.ts'
import { get, hasKubectl, kubectl } from '../support/kubectl.ts'
import { SteadyRequests } from '../support/load.ts'
import { eventually } from '../support/wait.ts'

describe.skipIf(!hasKubectl)('rollouts and repairs (needs kubectl)', () => {
  test('a rolling update of the front-end under steady requests loses none', async () => {
    const url = await guestbookUrl()
    const before = new Set((await podsOf('app=guestbook')).map((pod) => pod.metadata.uid))
    const requests = new SteadyRequests(`${url}/healthz`)
    await kubectl(['set', 'env', 'deployment/guestbook', `ROLLED=${Date.now()}`])
    await kubectl(['rollout', 'status', 'deployment/guestbook', '--timeout=120s'])
    await eventually('the old pods are gone', async () => (await get<{ items: Pod[] }>('pods', '-l', 'app=guestbook')).items.length === 3)
    await requests.stop()
    expect(requests.failures).toEqual([])
    expect(requests.answered).toBeGreaterThan(50)
    expect((await podsOf('app=guestbook')).filter((pod) => before.has(pod.metadata.uid))).toEqual([])
  })

  test('a killed container restarts, and again only after a back-off', async () => {
    await kubectl(['apply', '-f', '-'], `
apiVersion: v1
kind: Pod
metadata: { name: crasher }
spec:
  containers: [{ name: c, image: berth.local/redis:1, command: [sh, -c, "echo up; sleep 1; exit 3"] }]
`)
    const waiting = await eventually('CrashLoopBackOff', async () => {
      const pod = await get<Pod>('pod', 'crasher')
      return pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff' && pod
    })
    const status = waiting.status?.containerStatuses?.[0]
    expect(status?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
    expect(status?.state?.waiting?.message).toMatch(/^back-off 10s restarting failed container=c pod=crasher_default\(.*\)$/)
    expect(await kubectl(['get', 'pod', 'crasher', '--no-headers'])).toMatch(/crasher +0\/1 +CrashLoopBackOff +\d+ /)
    expect(await kubectl(['logs', 'crasher', '--previous'])).toBe('up\n')
    await kubectl(['delete', 'pod', 'crasher', '--grace-period=1'])
  })

  test('a process that is killed inside a container is started again, and the pod stays the same', async () => {
    const [pod] = await podsOf('app=redis,role=follower')
    await kubectl(['exec', pod!.metadata.name, '--', 'sh', '-c', 'kill -9 1 || redis-cli shutdown nosave']).catch(() => undefined)
    await kubectl(['exec', pod!.metadata.name, '--', 'redis-cli', 'shutdown', 'nosave']).catch(() => undefined)
    const after = await eventually('it has restarted and is Ready', async () => {
      const now = await get<Pod>('pod', pod!.metadata.name)
      return restarts(now) >= 1 && isReady(now) && now
    })
    expect([after.metadata.uid, after.status?.podIP]).toEqual([pod!.metadata.uid, pod!.status?.podIP])
  })

  test('a deleted pod is replaced, and the page goes on answering', async () => {
    const url = await guestbookUrl()
    const [pod] = await podsOf('app=guestbook')
    await kubectl(['delete', 'pod', pod!.metadata.name, '--wait=false'])
    await eventually('three others are Ready', async () => {
      const pods = await podsOf('app=guestbook')
      return pods.length === 3 && pods.every(isReady) && !pods.some((p) => p.metadata.uid === pod!.metadata.uid)
    })
    expect((await entries(url)).pod).not.toBe(pod!.metadata.name)
  })

  test('a pod whose readiness probe fails leaves the Service, and comes back when it succeeds', async () => {
    await kubectl(['apply', '-f', '-'], `
apiVersion: v1
kind: Pod
metadata: { name: moody, labels: { app: moody } }
spec:
  containers:
    - name: c
      image: berth.local/redis:1
      command: [sh, -c, "touch /tmp/ok; sleep 3600"]
      readinessProbe: { exec: { command: [cat, /tmp/ok] }, periodSeconds: 1, failureThreshold: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: moody }
spec: { selector: { app: moody }, ports: [{ port: 80 }] }
`)
    const ready = async (wanted: boolean): Promise<boolean> => {
      const { items } = await get<{ items: EndpointSlice[] }>('endpointslices', '-l', 'kubernetes.io/service-name=moody')
      const conditions = items.flatMap((slice) => (slice.endpoints ?? []).map((endpoint) => endpoint.conditions?.ready))
      return conditions.length === 1 && conditions[0] === wanted
    }
    await eventually('it is in the Service', async () => ready(true))
    await kubectl(['exec', 'moody', '--', 'rm', '/tmp/ok'])
    await eventually('it has left', async () => ready(false))
    expect(await kubectl(['describe', 'pod', 'moody'])).toMatch(/Unhealthy +\S+.*Readiness probe failed: cat: /)
    await kubectl(['exec', 'moody', '--', 'touch', '/tmp/ok'])
    await eventually('it is back', async () => ready(true))
    await kubectl(['delete', 'pod/moody', 'service/moody', '--grace-period=1'])
  })
})
