import { describe, expect, test } from 'vitest'
import type { Node, Pod, Service } from '@berth/api/types/core/v1'
import { entries, guestbookUrl, isReady, podsOf, sign } from '../support/guestbook.ts'
import { get, hasKubectl, kubectl, run } from '../support/kubectl.ts'
import { eventually } from '../support/wait.ts'

describe.skipIf(!hasKubectl)('the guestbook, from nothing (needs kubectl)', () => {
  test('an entry that is posted to the page is read back from a redis follower', async () => {
    const url = await guestbookUrl()
    const entry = `hello ${Date.now()} <b>&`
    await sign(url, entry)
    const read = await eventually('the entry is there', async () => {
      const answer = await entries(url)
      return answer.entries.includes(entry) && answer
    })
    expect((await podsOf('app=guestbook')).map((pod) => pod.metadata.name)).toContain(read.pod)
    const page = await (await fetch(url)).text()
    expect(page).toContain('&lt;b&gt;&amp;')
  })

  test('all three front-ends answer behind the one NodePort', async () => {
    const url = await guestbookUrl()
    const seen = new Set<string>()
    await eventually('three pods have answered', async () => {
      seen.add((await entries(url)).pod)
      return seen.size === 3
    })
    expect([...seen].sort()).toEqual((await podsOf('app=guestbook')).map((pod) => pod.metadata.name).sort())
  })

  test('a pod finds a Service by name, by full name, and by environment variable', async () => {
    const [pod] = await podsOf('app=guestbook')
    const service = await get<Service>('service', 'redis-leader')
    const ask = (command: string): Promise<string> => kubectl(['exec', pod!.metadata.name, '--', 'sh', '-c', command])
    const expected = new RegExp(`Address[^\\n]*: ${service.spec.clusterIP?.replaceAll('.', '\\.')}\\b`)
    expect(await ask('nslookup redis-leader.default.svc.cluster.local')).toMatch(expected)
    expect(await ask('printf "PING\\r\\n" | nc -w 2 redis-leader 6379')).toContain('+PONG')
    // Variables are those of Services that were there before the pod.
    const probe = await kubectl(['run', 'env-probe', '--rm', '-i', '--restart=Never', '--image=berth.local/redis:1', '--quiet', '--', 'sh', '-c', 'sleep 1; env'])
    expect(probe).toContain(`REDIS_LEADER_SERVICE_HOST=${service.spec.clusterIP}`)
    expect(probe).toMatch(/KUBERNETES_SERVICE_PORT=443\b/)
  })

  test('a pod reaches itself through its own Service', async () => {
    await kubectl(['apply', '-f', '-'], `
apiVersion: v1
kind: Pod
metadata: { name: mirror, labels: { app: mirror } }
spec:
  containers:
    - name: redis
      image: berth.local/redis:1
      command: [redis-server, --bind, 0.0.0.0, --protected-mode, "no", --save, ""]
      readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: mirror }
spec: { selector: { app: mirror }, ports: [{ port: 6379 }] }
`)
    await kubectl(['wait', '--for=condition=Ready', 'pod/mirror', '--timeout=60s'])
    const pong = await eventually('the pod answers itself', async () => {
      const text = await kubectl(['exec', 'mirror', '--', 'redis-cli', '-h', 'mirror', 'ping'])
      return text.includes('PONG') && text
    })
    expect(pong).toContain('PONG')
    await kubectl(['delete', 'pod/mirror', 'service/mirror', '--grace-period=1'])
  })

  test('a hostNetwork pod is in its node\'s namespace: it has the node\'s address', async () => {
    await kubectl(['apply', '-f', '-'], `
apiVersion: v1
kind: Pod
metadata: { name: on-host }
spec:
  hostNetwork: true
  containers: [{ name: c, image: berth.local/redis:1, command: [sleep, "3600"] }]
`)
    await kubectl(['wait', '--for=condition=Ready', 'pod/on-host', '--timeout=60s'])
    const pod = await get<Pod>('pod', 'on-host')
    const node = await get<Node>('node', pod.spec.nodeName ?? '')
    const address = node.status?.addresses?.find((a) => a.type === 'InternalIP')?.address
    expect(pod.status?.podIP).toBe(address)
    expect(await kubectl(['exec', 'on-host', '--', 'ip', '-4', 'addr', 'show', 'eth0'])).toContain(`inet ${address}/`)
    // The machine's own interfaces are not there.
    const { stdout } = await run(['ip', '-o', 'link', 'show'])
    const own = /: (berth[^:@]*0)[:@]/.exec(stdout)?.[1] ?? 'berth0'
    expect(await kubectl(['exec', 'on-host', '--', 'ip', 'link'])).not.toContain(own)
    await kubectl(['delete', 'pod', 'on-host', '--grace-period=1'])
  })

  test('every pod of the guestbook is Ready, and none has restarted', async () => {
    const pods = [...await podsOf('app=guestbook'), ...await podsOf('app=redis')]
    expect(pods).toHaveLength(6)
    expect(pods.filter((pod) => !isReady(pod)).map((pod) => pod.metadata.name)).toEqual([])
    expect(pods.flatMap((pod) => pod.status?.containerStatuses?.map((c) => c.restartCount) ?? [])).toEqual([0, 0, 0, 0, 0, 0])
  })
})
