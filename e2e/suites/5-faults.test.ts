import fs from 'node:fs'
import path from 'node:path'
import { layoutOf } from 'berth'
import { describe, expect, inject, test } from 'vitest'
import type { ConfigMap, Node, Pod } from '@berth/api/types/core/v1'
import { berth, pidOf, processes } from '../support/berth.ts'
import { entries, guestbookUrl, isReady, podsOf, restarts } from '../support/guestbook.ts'
import { get, hasKubectl, kubectl, run, tryKubectl } from '../support/kubectl.ts'
import { eventually } from '../support/wait.ts'

interface Seen { uid: string; ip: string; restarts: number; container: string }

async function guestbookPods(): Promise<Seen[]> {
  return [...await podsOf('app=guestbook'), ...await podsOf('app=redis')]
    .map((pod) => ({ uid: pod.metadata.uid ?? '', ip: pod.status?.podIP ?? '', restarts: restarts(pod), container: pod.status?.containerStatuses?.[0]?.containerID ?? '' }))
    .sort((a, b) => a.uid.localeCompare(b.uid))
}

async function settled(): Promise<void> {
  await eventually('every process runs', async () => (await processes()).every((p) => p.state === 'running'))
  await eventually('the API answers', async () => (await tryKubectl(['get', '--raw', '/readyz'])).stdout === 'ok')
  await eventually('the guestbook is Ready', async () => {
    const pods = [...await podsOf('app=guestbook'), ...await podsOf('app=redis')]
    return pods.length === 6 && pods.every(isReady)
  })
}

/** The addresses that the node's overlay has given out. */
function addressesHeld(): number {
  const state = path.join(inject('dataDir'), 'nodes/n1/cni/state')
  return fs.readdirSync(state, { recursive: true, encoding: 'utf8' }).filter((file) => /(^|\/)\d+\.\d+\.\d+\.\d+$/.test(file)).length
}

describe.skipIf(!hasKubectl)('faults (needs kubectl)', () => {
  test.each(['server', 'agent-n1', 'dockerd', 'containerd'])('%s is killed while pods run: it comes back, and no pod is restarted, lost or doubled', async (name) => {
    await settled()
    const before = await guestbookPods()
    const pid = await pidOf(name)
    process.kill(pid, 'SIGKILL')
    await eventually('another one runs', async () => (await processes()).some((p) => p.name === name && p.state === 'running' && p.pid !== pid))
    await settled()
    expect(await guestbookPods()).toEqual(before)
    const url = await guestbookUrl()
    await eventually('the page answers', async () => (await entries(url)).pod !== '')
  })

  test.each(['agent-n1', 'containerd', 'dockerd', 'server'])('%s is killed while pods start: all of them come up, each once', async (name) => {
    await settled()
    await kubectl(['create', 'deployment', 'starting', '--image=berth.local/redis:1', '--replicas=4', '--', 'sleep', '3600'])
    await eventually('they have begun', async () => (await get<{ items: Pod[] }>('pods', '-l', 'app=starting')).items.some((pod) => pod.spec.nodeName))
    process.kill(await pidOf(name), 'SIGKILL')
    await eventually('four run', async () => {
      const pods = await podsOf('app=starting')
      return pods.length === 4 && pods.every(isReady)
    }, 120_000)
    const pods = await podsOf('app=starting')
    expect(new Set(pods.map((pod) => pod.status?.podIP)).size).toBe(4)
    // One sandbox each: what was half made is gone again.
    const sandboxes = await eventually('no sandbox is left over', async () => {
      const { stdout } = await run(['docker', '-H', `unix://${dockerSocket()}`, 'ps', '-q', '--filter', 'label=io.kubernetes.pod.namespace=default', '--filter', 'label=io.kubernetes.docker.type=podsandbox'])
      const count = stdout.split('\n').filter(Boolean).length
      return count === (await get<{ items: Pod[] }>('pods')).items.filter((pod) => pod.status?.phase === 'Running').length && count
    })
    expect(sandboxes).toBeGreaterThanOrEqual(10)
    await kubectl(['delete', 'deployment', 'starting'])
    await kubectl(['delete', 'pods', '-l', 'app=starting', '--grace-period=1', '--ignore-not-found'])
  })

  test('no address leaks: as many are held as pods have one', async () => {
    await settled()
    await eventually('held addresses and pods agree', async () => {
      const { items } = await get<{ items: Pod[] }>('pods', '-A')
      return addressesHeld() === items.filter((pod) => !pod.spec.hostNetwork && pod.status?.podIP).length
    })
    expect(addressesHeld()).toBeGreaterThanOrEqual(6)
  })

  test('no acknowledged write is lost when the server is killed in the middle of writes', async () => {
    await settled()
    const acknowledged: string[] = []
    let killed = false
    const writer = async (w: number): Promise<void> => {
      for (let i = 0; !killed && i < 40; i++) {
        const name = `write-${w}-${i}`
        const { code } = await tryKubectl(['create', 'configmap', name, `--from-literal=v=${i}`])
        if (code === 0) acknowledged.push(name)
      }
    }
    const writers = [0, 1, 2, 3].map(writer)
    await eventually('some were written', async () => acknowledged.length > 8)
    process.kill(await pidOf('server'), 'SIGKILL')
    killed = true
    await Promise.all(writers)
    await settled()
    const there = new Set((await get<{ items: ConfigMap[] }>('configmaps')).items.map((c) => c.metadata.name))
    expect(acknowledged.filter((name) => !there.has(name))).toEqual([])
    await kubectl(['delete', 'configmap', ...acknowledged])
  })

  test('a dead supervisor is replaced at the next status, and everything has gone on', async () => {
    await settled()
    const before = await guestbookPods()
    const own = await processes()
    const { stdout } = await run(['pgrep', '-f', `supervise --table ${layoutOf(inject('dataDir')).runDir}/`])
    process.kill(Number(stdout.trim().split('\n')[0]), 'SIGKILL')
    await eventually('the page answers without it', async () => (await entries(await guestbookUrl())).pod !== '')
    const { code, stderr } = await berth(['status'])
    expect([code, stderr]).toEqual([0, expect.stringContaining('adopts what still runs')])
    expect((await processes()).map(({ name, pid }) => ({ name, pid }))).toEqual(own.map(({ name, pid }) => ({ name, pid })))
    expect(await guestbookPods()).toEqual(before)
  })

  test('a dead anchor is its node\'s reboot: the same pods, new sandboxes, one restart each', async () => {
    await settled()
    const before = await guestbookPods()
    const { stdout } = await run(['docker', '-H', `unix://${dockerSocket()}`, 'ps', '-q', '--filter', 'label=berth.dev/anchor=n1'])
    await run(['docker', '-H', `unix://${dockerSocket()}`, 'kill', stdout.trim()])
    await eventually('every pod has restarted and is Ready', async () => {
      const now = await guestbookPods()
      return now.length === 6 && now.every((pod) => restartedSince(pod, before)) && [...await podsOf('app=guestbook'), ...await podsOf('app=redis')].every(isReady)
    }, 150_000)
    const after = await guestbookPods()
    expect(after.map((pod) => pod.uid)).toEqual(before.map((pod) => pod.uid))
    await eventually('the node is Ready', async () => (await get<Node>('node', 'n1')).status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
    await eventually('the page answers', async () => (await entries(await guestbookUrl())).pod !== '')
  })
})

function restartedSince(pod: Seen, before: readonly Seen[]): boolean {
  const then = before.find((b) => b.uid === pod.uid)
  return then !== undefined && pod.restarts > then.restarts && pod.container !== then.container
}

function dockerSocket(): string {
  return layoutOf(inject('dataDir')).engine.dockerSocket
}
