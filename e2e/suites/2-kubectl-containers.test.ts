// What kubectl does inside of containers, beside what 2-kubectl.test.ts shows.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Pod } from '@berth/api/types/core/v1'
import { get, hasKubectl, kubectl, startKubectl, tryKubectl } from '../support/kubectl.ts'
import { eventually } from '../support/wait.ts'

const namespace = 'kubectl-containers'
const ns = ['-n', namespace]
const image = 'berth.local/redis:1'

/** Two containers that talk, one of which echoes its input, and one that prepared and ended. */
const talker = {
  apiVersion: 'v1', kind: 'Pod', metadata: { name: 'talker', namespace, labels: { app: 'talker' } },
  spec: {
    terminationGracePeriodSeconds: 1,
    volumes: [{ name: 'shared', emptyDir: {} }],
    initContainers: [{ name: 'before', image, command: ['sh', '-c', 'echo prepared'] }],
    containers: [
      { name: 'echo', image, stdin: true, command: ['sh', '-c', 'echo ready; while read line; do echo "heard $line"; done; sleep 3600'] },
      { name: 'other', image, command: ['sh', '-c', 'echo other; exec sleep 3600'], volumeMounts: [{ name: 'shared', mountPath: '/shared' }] },
    ],
  },
}

describe.skipIf(!hasKubectl)('kubectl inside of containers (needs kubectl)', () => {
  beforeAll(async () => {
    await kubectl(['create', 'namespace', namespace])
    await eventually('the account is there', async () => (await tryKubectl(['get', 'serviceaccount', 'default', ...ns])).code === 0)
    await kubectl(['apply', '-f', '-'], JSON.stringify(talker))
    await kubectl(['wait', '--for=condition=Ready', 'pod/talker', '--timeout=90s', ...ns])
  })
  afterAll(async () => {
    await kubectl(['delete', 'namespace', namespace, '--wait=true', '--timeout=90s'])
  })

  test('kubectl attach: what is typed reaches the process that runs, and what it says comes back', async () => {
    const attached = startKubectl(['attach', '-i', 'talker', '-c', 'echo', ...ns])
    attached.stdin.write('one\n')
    await eventually('the first line was heard', async () => attached.output().includes('heard one'))
    attached.stdin.write('two\n')
    await eventually('the second line was heard', async () => attached.output().includes('heard two'))
    attached.kill()
    expect(await kubectl(['logs', 'talker', '-c', 'echo', ...ns])).toBe('ready\nheard one\nheard two\n')
    expect((await tryKubectl(['attach', 'talker', '-c', 'absent', ...ns])).stderr).toContain('container absent not found in pod talker')
  })

  test('kubectl logs: of every container, with their names, of one that has ended, by selector and by bytes', async () => {
    const all = await kubectl(['logs', 'talker', '--all-containers', '--prefix', ...ns])
    expect(all).toMatch(/^\[pod\/talker\/before\] prepared$/m)
    expect(all).toMatch(/^\[pod\/talker\/other\] other$/m)
    expect(await kubectl(['logs', 'talker', '-c', 'before', ...ns])).toBe('prepared\n')
    expect(await kubectl(['logs', '-l', 'app=talker', '-c', 'other', '--tail=-1', ...ns])).toBe('other\n')
    expect(await kubectl(['logs', 'talker', '-c', 'other', '--limit-bytes=3', ...ns])).toBe('oth')
    expect(await kubectl(['logs', 'talker', '-c', 'other', '--since-time=2100-01-01T00:00:00Z', ...ns])).toBe('')
    const chosen = await tryKubectl(['logs', 'talker', ...ns])
    expect([chosen.code, chosen.stderr]).toEqual([0, 'Defaulted container "echo" out of: echo, other, before (init)\n'])
  })

  test('kubectl exec: in the container that is named, with a terminal, and what cannot be run is told', async () => {
    expect(await kubectl(['exec', 'talker', '-c', 'other', ...ns, '--', 'ls', '-d', '/shared'])).toBe('/shared\n')
    const tty = await tryKubectl(['exec', '-it', 'talker', '-c', 'other', ...ns, '--', 'sh', '-c', 'test -t 1 && echo a terminal || echo none'])
    // Without a terminal of its own kubectl asks for none, and says so.
    expect([tty.stdout, tty.stderr]).toEqual(['none\n', expect.stringContaining('Unable to use a TTY')])
    const absent = await tryKubectl(['exec', 'talker', '-c', 'other', ...ns, '--', '/absent'])
    expect([absent.code, absent.stdout]).toEqual([126, expect.stringContaining('no such file or directory')])
    expect((await tryKubectl(['exec', 'absent', ...ns, '--', 'true'])).stderr).toContain('pods "absent" not found')
  })

  test('kubectl cp: a folder there, and back out of the container that is named', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-cp-'))
    fs.mkdirSync(path.join(folder, 'tree/inner'), { recursive: true })
    fs.writeFileSync(path.join(folder, 'tree/one'), 'one\n')
    fs.writeFileSync(path.join(folder, 'tree/inner/two'), 'two\n', { mode: 0o755 })
    await kubectl(['cp', path.join(folder, 'tree'), 'talker:/shared/tree', '-c', 'other', ...ns])
    expect(await kubectl(['exec', 'talker', '-c', 'other', ...ns, '--', 'sh', '-c', 'cat /shared/tree/one /shared/tree/inner/two; test -x /shared/tree/inner/two && echo x'])).toBe('one\ntwo\nx\n')
    await kubectl(['cp', `${namespace}/talker:/shared/tree`, path.join(folder, 'back'), '-c', 'other'])
    expect(fs.readFileSync(path.join(folder, 'back/inner/two'), 'utf8')).toBe('two\n')
    fs.rmSync(folder, { recursive: true })
  })

  test('kubectl debug: a container joins a running pod, and sees the processes of the one it is for', async () => {
    await kubectl(['debug', 'talker', `--image=${image}`, '--target=other', '--container=look', '--profile=general', ...ns, '--', 'sh', '-c', 'cat /proc/*/cmdline | tr "\\0" " "; echo; sleep 3600'])
    const pod = await eventually('it runs', async () => {
      const found = await get<Pod>('pod', 'talker', ...ns)
      return found.status?.ephemeralContainerStatuses?.[0]?.state?.running !== undefined && found
    })
    expect(pod.spec.ephemeralContainers).toMatchObject([{ name: 'look', image, targetContainerName: 'other', securityContext: { capabilities: { add: ['SYS_PTRACE'] } } }])
    await eventually('it has seen the other', async () => (await kubectl(['logs', 'talker', '-c', 'look', ...ns])).includes('sleep 3600'))
    expect(await kubectl(['exec', 'talker', '-c', 'look', ...ns, '--', 'echo', 'inside'])).toBe('inside\n')
    expect(await kubectl(['describe', 'pod', 'talker', ...ns])).toMatch(/^Ephemeral Containers:\n {2}look:\n[\s\S]*State: +Running/m)
  })

  test('kubectl debug: a copy of a pod with another command and image, which shares its processes', async () => {
    await kubectl(['debug', 'talker', '--copy-to=copied', '--share-processes', '--set-image=echo=berth.local/guestbook:1', '--container=other', ...ns, '--', 'sh', '-c', 'echo instead; sleep 3600'])
    const copy = await get<Pod>('pod', 'copied', ...ns)
    expect(copy.spec).toMatchObject({ shareProcessNamespace: true, containers: [{ name: 'echo', image: 'berth.local/guestbook:1' }, { name: 'other', image, command: ['sh', '-c', 'echo instead; sleep 3600'] }] })
    expect(copy.metadata.labels).toBeUndefined()
    await eventually('its command has run', async () => (await kubectl(['logs', 'copied', '-c', 'other', ...ns])) === 'instead\n')
    await kubectl(['delete', 'pod', 'copied', '--grace-period=1', ...ns])
  })

  test('kubectl debug: a pod on a node, in the node\'s own namespaces and with its files', async () => {
    const said = await kubectl(['debug', 'node/n1', `--image=${image}`, '--profile=general', ...ns, '--', 'sh', '-c', 'ls -d /host/proc/1 && sleep 3600'])
    const name = /Creating debugging pod (\S+) /.exec(said)?.[1] ?? ''
    const pod = await eventually('it runs', async () => {
      const found = await get<Pod>('pod', name, ...ns)
      return found.status?.phase === 'Running' && found
    })
    expect(pod.spec).toMatchObject({ nodeName: 'n1', hostNetwork: true, hostPID: true, hostIPC: true, tolerations: expect.arrayContaining([{ operator: 'Exists' }]) as unknown, volumes: expect.arrayContaining([{ name: 'host-root', hostPath: { path: '/', type: '' } }]) as unknown })
    await eventually('it sees the node\'s files', async () => (await kubectl(['logs', name, ...ns])) === '/host/proc/1\n')
    await kubectl(['delete', 'pod', name, '--grace-period=1', ...ns])
  })

  test('kubectl run: attached, it ends with the code of what it ran; left alone, it is a pod like any', async () => {
    const failing = await tryKubectl(['run', 'failing', '-i', '--rm', '--restart=Never', '--quiet', `--image=${image}`, ...ns, '--', 'sh', '-c', 'read word; echo "said $word"; exit 3'], 'so\n')
    expect([failing.code, failing.stdout]).toEqual([3, expect.stringContaining('said so')])
    await kubectl(['run', 'left', `--image=${image}`, '--env=WHO=me', '--command', ...ns, '--', 'sh', '-c', 'echo "I am $WHO"; exec sleep 3600'])
    await eventually('it has spoken', async () => (await tryKubectl(['logs', 'left', ...ns])).stdout === 'I am me\n')
  })

  test('kubectl port-forward: to a Service by its port\'s name, on a port of one\'s own', async () => {
    const forward = startKubectl(['port-forward', 'service/guestbook', ':http', '-n', 'default'])
    const port = await eventually('a port is forwarded', async () => Number(/127\.0\.0\.1:(\d+) ->/.exec(forward.output())?.[1]) || undefined)
    const answer = await fetch(`http://127.0.0.1:${port}/`)
    forward.kill()
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('<html')])
  })

  test('kubectl events: of a pod, as they come', async () => {
    expect(await kubectl(['events', '--for', 'pod/talker', '--types=Normal', '--no-headers', ...ns])).toMatch(/Normal +Scheduled +Pod\/talker +Successfully assigned kubectl-containers\/talker to n1/)
    const watch = startKubectl(['events', '--for', 'pod/late', '-w', '--no-headers', ...ns])
    await kubectl(['run', 'late', `--image=${image}`, ...ns, '--', 'sleep', '3600'])
    await eventually('its start is seen', async () => /Started +Pod\/late/.test(watch.output()))
    watch.kill()
    expect(watch.output()).toMatch(/Scheduled +Pod\/late/)
  })

  test('kubectl cluster-info dump: with the logs of what runs', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-dump-'))
    await kubectl(['cluster-info', 'dump', `--namespaces=${namespace}`, `--output-directory=${folder}`])
    expect(fs.readFileSync(path.join(folder, namespace, 'talker/logs.txt'), 'utf8')).toContain('other\n')
    fs.rmSync(folder, { recursive: true })
  })
})
