import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deployment, ReplicaSet } from '@berth/api/types/apps/v1'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { podsOf } from '../support/guestbook.ts'
import { get, hasKubectl, kubectl, startKubectl, tryKubectl } from '../support/kubectl.ts'
import { eventually } from '../support/wait.ts'

const manifest = (extra = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: sleeper, namespace: kubectl-suite, labels: { app: sleeper } }
spec:
  replicas: 2
  selector: { matchLabels: { app: sleeper } }
  template:
    metadata: { labels: { app: sleeper } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: berth.local/redis:1
          command: [sh, -c, "echo started; trap 'exit 0' TERM; while true; do echo tick; sleep 1; done"]
          ${extra}
`
const ns = ['-n', 'kubectl-suite']

describe.skipIf(!hasKubectl)('kubectl (needs kubectl)', () => {
  beforeAll(async () => {
    await kubectl(['create', 'namespace', 'kubectl-suite'])
    await kubectl(['apply', '-f', '-'], manifest())
    await kubectl(['rollout', 'status', 'deployment/sleeper', '--timeout=90s', ...ns])
  })
  afterAll(async () => {
    await kubectl(['delete', 'namespace', 'kubectl-suite', '--wait=true', '--timeout=90s'])
  })

  test('get prints tables, wide ones, names, JSON, YAML, JSONPath, templates and columns', async () => {
    expect(await kubectl(['get', 'pods', ...ns])).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE\n(sleeper-\S+ +1\/1 +Running +0 +\S+\n){2}$/)
    expect(await kubectl(['get', 'deploy', '-o', 'wide', ...ns])).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nsleeper +2\/2 +2 +2 +\S+ +main +berth\.local\/redis:1 +app=sleeper\n$/)
    expect(await kubectl(['get', 'nodes', '-o', 'wide'])).toMatch(/n1 +Ready +<none> .* v1\.36\.\d+ +172\.30\.\d+\.11 .*docker:\/\//)
    expect(await kubectl(['get', 'deploy', '-o', 'name', ...ns])).toBe('deployment.apps/sleeper\n')
    expect(await kubectl(['get', 'deploy', 'sleeper', '-o', 'jsonpath={.spec.replicas}', ...ns])).toBe('2')
    expect(await kubectl(['get', 'deploy', 'sleeper', '-o', 'go-template={{.metadata.name}}', ...ns])).toBe('sleeper')
    expect(await kubectl(['get', 'deploy', '-o', 'custom-columns=N:.metadata.name,R:.spec.replicas', ...ns])).toMatch(/N +R\nsleeper +2\n/)
    expect(await kubectl(['get', 'deploy', 'sleeper', '-o', 'yaml', ...ns])).toContain('kind: Deployment')
    expect(await kubectl(['get', 'all', ...ns])).toMatch(/pod\/sleeper[\s\S]*deployment\.apps\/sleeper[\s\S]*replicaset\.apps\/sleeper/)
    expect(await kubectl(['get', 'pods', '-A', '--field-selector', 'metadata.namespace=kubectl-suite', '-l', 'app=sleeper', '--no-headers'])).toMatch(/^(kubectl-suite +sleeper.*\n){2}$/)
  })

  test('get -w shows a change as it happens', async () => {
    const watch = startKubectl(['get', 'configmaps', '-w', '--no-headers', ...ns])
    await eventually('the watch has begun', async () => watch.output().includes('kube-root-ca.crt'))
    await kubectl(['create', 'configmap', 'watched', '--from-literal=a=b', ...ns])
    await eventually('the change was shown', async () => /watched +1/.test(watch.output()))
    watch.kill()
    await kubectl(['delete', 'configmap', 'watched', ...ns])
    expect(watch.output()).toMatch(/watched +1/)
  })

  test('describe tells of a pod, its events, a deployment, a node and a service', async () => {
    const [pod] = (await get<{ items: Pod[] }>('pods', ...ns)).items
    const text = await kubectl(['describe', 'pod', pod!.metadata.name, ...ns])
    for (const words of ['Status:           Running', 'Successfully assigned', 'Created', 'Started', 'QoS Class:                   BestEffort']) expect(text).toContain(words)
    expect(await kubectl(['describe', 'deployment', 'sleeper', ...ns])).toMatch(/2 desired \| 2 updated \| 2 total \| 2 available[\s\S]*ScalingReplicaSet/)
    expect(await kubectl(['describe', 'node', 'n1'])).toMatch(/KubeletReady[\s\S]*Allocated resources/)
    expect(await kubectl(['describe', 'service', 'guestbook'])).toMatch(/NodePort: +http +30080\/TCP/)
  })

  test('explain describes a field', async () => {
    const text = await kubectl(['explain', 'pod.spec.containers.livenessProbe.httpGet'])
    expect(text).toMatch(/KIND: +Pod[\s\S]*FIELDS:[\s\S]*path[\s\S]*port/)
    expect(await kubectl(['explain', 'deployment.spec.strategy'])).toContain('rollingUpdate')
  })

  test('create, and a second create of the same is AlreadyExists', async () => {
    await kubectl(['create', 'configmap', 'twice', '--from-literal=a=b', ...ns])
    const again = await tryKubectl(['create', 'configmap', 'twice', '--from-literal=a=b', ...ns])
    expect([again.code, again.stderr]).toEqual([1, 'error: failed to create configmap: configmaps "twice" already exists\n'])
    await kubectl(['delete', 'configmap', 'twice', ...ns])
  })

  test('apply changes what changed, diff shows it before, and --server-side finds conflicts', async () => {
    const changed = manifest('env: [{ name: GREETING, value: hello }]')
    const diff = await tryKubectl(['diff', '-f', '-'], changed)
    expect([diff.code, diff.stdout]).toEqual([1, expect.stringMatching(/\+ +- name: GREETING\n\+ +value: hello/)])
    expect(await kubectl(['apply', '-f', '-'], changed)).toBe('deployment.apps/sleeper configured\n')
    expect(await kubectl(['apply', '-f', '-'], changed)).toBe('deployment.apps/sleeper unchanged\n')
    const owned = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: owned, namespace: kubectl-suite }\ndata: { key: mine }\n'
    expect(await kubectl(['apply', '--server-side', '--field-manager=first', '-f', '-'], owned)).toBe('configmap/owned serverside-applied\n')
    const conflict = await tryKubectl(['apply', '--server-side', '--field-manager=second', '-f', '-'], owned.replace('mine', 'yours'))
    expect([conflict.code, conflict.stderr]).toEqual([1, expect.stringMatching(/Apply failed with 1 conflict: conflict with "first": \.data\.key/)])
    await kubectl(['apply', '--server-side', '--field-manager=second', '--force-conflicts', '-f', '-'], owned.replace('mine', 'yours'))
    expect(await kubectl(['get', 'configmap', 'owned', '-o', 'jsonpath={.data.key}', ...ns])).toBe('yours')
    await kubectl(['rollout', 'status', 'deployment/sleeper', '--timeout=90s', ...ns])
  })

  test('patch (strategic, merge, JSON), label and annotate', async () => {
    await kubectl(['patch', 'deployment', 'sleeper', '-p', '{"metadata":{"labels":{"one":"1"}}}', ...ns])
    await kubectl(['patch', 'deployment', 'sleeper', '--type=merge', '-p', '{"metadata":{"labels":{"two":"2"}}}', ...ns])
    await kubectl(['patch', 'deployment', 'sleeper', '--type=json', '-p', '[{"op":"remove","path":"/metadata/labels/one"}]', ...ns])
    await kubectl(['label', 'deployment', 'sleeper', 'three=3', ...ns])
    await kubectl(['annotate', 'deployment', 'sleeper', 'note=kept', ...ns])
    const { metadata } = await get<Deployment>('deployment', 'sleeper', ...ns)
    expect(metadata.labels).toEqual({ app: 'sleeper', two: '2', three: '3' })
    expect(metadata.annotations?.note).toBe('kept')
    await kubectl(['label', 'deployment', 'sleeper', 'three-', ...ns])
    expect((await get<Deployment>('deployment', 'sleeper', ...ns)).metadata.labels).toEqual({ app: 'sleeper', two: '2' })
  })

  test('scale up and down', async () => {
    await kubectl(['scale', 'deployment', 'sleeper', '--replicas=4', ...ns])
    await kubectl(['wait', '--for=jsonpath={.status.readyReplicas}=4', 'deployment/sleeper', '--timeout=60s', ...ns])
    await kubectl(['scale', 'deployment', 'sleeper', '--replicas=1', ...ns])
    await eventually('one pod is left', async () => (await get<{ items: Pod[] }>('pods', ...ns)).items.length === 1)
    expect((await get<Deployment>('deployment', 'sleeper', ...ns)).spec.replicas).toBe(1)
  })

  test('kubectl rollout history, rollout undo, rollout restart: follow after set image has rolled out', async () => {
    const image = async (): Promise<string> => kubectl(['get', 'deployment', 'sleeper', '-o', 'jsonpath={.spec.template.spec.containers[0].image}', ...ns])
    await kubectl(['set', 'image', 'deployment/sleeper', 'main=berth.local/guestbook:1', ...ns])
    expect(await kubectl(['rollout', 'status', 'deployment/sleeper', '--timeout=90s', ...ns])).toContain('successfully rolled out')
    const history = await kubectl(['rollout', 'history', 'deployment/sleeper', ...ns])
    expect(history.match(/^\d+ /gm)?.length).toBeGreaterThanOrEqual(3)
    await kubectl(['rollout', 'undo', 'deployment/sleeper', ...ns])
    await kubectl(['rollout', 'status', 'deployment/sleeper', '--timeout=90s', ...ns])
    expect(await image()).toBe('berth.local/redis:1')
    const [before] = (await get<{ items: Pod[] }>('pods', ...ns)).items
    await kubectl(['rollout', 'restart', 'deployment/sleeper', ...ns])
    await kubectl(['rollout', 'status', 'deployment/sleeper', '--timeout=90s', ...ns])
    await eventually('the old pod is gone', async () => !(await get<{ items: Pod[] }>('pods', ...ns)).items.some((pod) => pod.metadata.uid === before!.metadata.uid))
    const sets = (await get<{ items: ReplicaSet[] }>('replicasets', ...ns)).items
    expect(sets.filter((set) => (set.spec.replicas ?? 0) > 0)).toHaveLength(1)
  })

  test('expose makes a Service that has the pod\'s address', async () => {
    await kubectl(['expose', 'deployment', 'sleeper', '--port=6379', ...ns])
    const [pod] = await eventually('one pod', async () => {
      const { items } = await get<{ items: Pod[] }>('pods', '-l', 'app=sleeper', ...ns)
      return items.length === 1 && items
    })
    await eventually('the endpoint is there', async () => (await kubectl(['get', 'endpointslices', '-l', 'kubernetes.io/service-name=sleeper', ...ns])).includes(pod!.status?.podIP ?? 'no address'))
    expect(await kubectl(['describe', 'service', 'sleeper', ...ns])).toContain(`${pod!.status?.podIP}:6379`)
  })

  test('kubectl run: with --rm -i gives stdin to a container, prints what it says, and removes it', async () => {
    const { code, stdout } = await tryKubectl(['run', 'echoer', '--rm', '-i', '--restart=Never', '--quiet', '--image=berth.local/redis:1', ...ns, '--', 'sh', '-c', 'read line; echo "got $line"'], 'what was typed\n')
    expect([code, stdout]).toEqual([0, expect.stringContaining('got what was typed')])
    expect((await tryKubectl(['get', 'pod', 'echoer', ...ns])).stderr).toContain('NotFound')
  })

  test('kubectl logs: all, the last, as they come, and --previous\'s refusal', async () => {
    const [pod] = (await get<{ items: Pod[] }>('pods', '-l', 'app=sleeper', ...ns)).items
    const name = pod!.metadata.name
    expect(await kubectl(['logs', name, ...ns])).toMatch(/^started\ntick\n/)
    expect(await kubectl(['logs', name, '--tail=1', ...ns])).toBe('tick\n')
    const follow = startKubectl(['logs', '-f', 'deployment/sleeper', '--timestamps', '--tail=1', ...ns])
    await eventually('three ticks', async () => (follow.output().match(/tick/g)?.length ?? 0) >= 3)
    follow.kill()
    expect(follow.output()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z tick\n/)
    expect((await tryKubectl(['logs', name, '--previous', ...ns])).stderr).toContain('previous terminated container "main" in pod')
  })

  test('kubectl exec: runs a command with stdin, and gives its exit code', async () => {
    const target = ['exec', '-i', 'deployment/sleeper', ...ns, '--']
    expect(await kubectl([...target, 'sh', '-c', 'cat; echo " to $HOSTNAME"'], 'from here')).toMatch(/^from here to sleeper-/)
    const { code, stderr } = await tryKubectl([...target, 'sh', '-c', 'echo bad >&2; exit 7'])
    expect([code, stderr]).toEqual([7, expect.stringContaining('bad\ncommand terminated with exit code 7')])
    const big = await kubectl([...target, 'sh', '-c', 'dd if=/dev/zero bs=1024 count=2048 2>/dev/null | tr "\\0" x || yes x | head -c 2097152'])
    expect(big.length).toBe(2_097_152)
  })

  test('kubectl cp: a file there and back', async () => {
    const [pod] = (await get<{ items: Pod[] }>('pods', '-l', 'app=sleeper', ...ns)).items
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-cp-'))
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256))
    fs.writeFileSync(path.join(folder, 'there'), bytes)
    await kubectl(['cp', path.join(folder, 'there'), `kubectl-suite/${pod!.metadata.name}:/tmp/there`])
    await kubectl(['cp', `kubectl-suite/${pod!.metadata.name}:/tmp/there`, path.join(folder, 'back')])
    expect(fs.readFileSync(path.join(folder, 'back')).equals(bytes)).toBe(true)
    fs.rmSync(folder, { recursive: true })
  })

  test('kubectl port-forward: carries a connection to a pod', async () => {
    const [pod] = await podsOf('app=redis,role=leader')
    const forward = startKubectl(['port-forward', `pod/${pod!.metadata.name}`, ':6379'])
    const port = await eventually('a port is forwarded', async () => Number(/127\.0\.0\.1:(\d+) ->/.exec(forward.output())?.[1]) || undefined)
    const pong = (): Promise<string> => new Promise((resolve, reject) => {
      const socket = net.createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'))
      socket.on('data', (chunk: Buffer) => {
        resolve(chunk.toString())
        socket.destroy()
      })
      socket.on('error', reject)
    })
    expect(await Promise.all([pong(), pong(), pong()])).toEqual(['+PONG\r\n', '+PONG\r\n', '+PONG\r\n'])
    forward.kill()
  })

  test('wait returns when the condition is there, and fails when it does not come', async () => {
    await kubectl(['wait', '--for=condition=Available', 'deployment/sleeper', '--timeout=30s', ...ns])
    const { code, stderr } = await tryKubectl(['wait', '--for=condition=Nonsense', 'deployment/sleeper', '--timeout=1s', ...ns])
    expect([code, stderr]).toEqual([1, expect.stringContaining('timed out waiting for the condition')])
  })

  test('cordon keeps new pods away, drain empties the node, uncordon and taint do the rest', async () => {
    await kubectl(['cordon', 'n1'])
    expect((await get<Node>('node', 'n1')).spec).toMatchObject({ unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] })
    const { stdout } = await tryKubectl(['drain', 'n1', '--pod-selector=app=sleeper', '--delete-emptydir-data', '--force', '--grace-period=1', '--timeout=60s'])
    expect(stdout).toContain('evicting pod kubectl-suite/sleeper')
    const pending = await eventually('the new pod waits', async () => (await get<{ items: Pod[] }>('pods', '-l', 'app=sleeper', ...ns)).items.find((pod) => pod.status?.conditions?.some((c) => c.reason === 'Unschedulable')))
    expect(pending.status?.conditions?.find((c) => c.type === 'PodScheduled')?.message).toBe('0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.')
    await kubectl(['uncordon', 'n1'])
    await kubectl(['wait', '--for=condition=Available', 'deployment/sleeper', '--timeout=60s', ...ns])
    await kubectl(['taint', 'node', 'n1', 'berth.dev/test=x:PreferNoSchedule'])
    expect((await get<Node>('node', 'n1')).spec.taints).toEqual([{ key: 'berth.dev/test', value: 'x', effect: 'PreferNoSchedule' }])
    await kubectl(['taint', 'node', 'n1', 'berth.dev/test-'])
  })

  test('auth can-i and whoami', async () => {
    expect(await kubectl(['auth', 'can-i', 'create', 'pods'])).toBe('yes\n')
    const stranger = await tryKubectl(['auth', 'can-i', 'delete', 'nodes', '--as=stranger'])
    expect([stranger.code, stranger.stdout]).toEqual([1, 'no\n'])
    expect(await kubectl(['auth', 'whoami'])).toContain('kubernetes-admin')
    expect((await tryKubectl(['get', 'pods', '--as=stranger'])).stderr).toContain('pods is forbidden: User "stranger" cannot list resource "pods" in API group "" in the namespace "default"')
  })

  test('delete with each propagation: orphan keeps the children, background and foreground take them along', async () => {
    const deployment = (name: string): string => `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ${name}, namespace: kubectl-suite }\nspec: { replicas: 1, selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name} } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: c, image: berth.local/redis:1, command: [sleep, "3600"] }] } } }\n`
    const sets = async (name: string): Promise<ReplicaSet[]> => (await get<{ items: ReplicaSet[] }>('replicasets', '-l', `app=${name}`, ...ns)).items
    for (const propagation of ['orphan', 'background', 'foreground']) {
      const name = `gone-${propagation}`
      await kubectl(['apply', '-f', '-'], deployment(name))
      await eventually('its ReplicaSet is there', async () => (await sets(name)).length === 1)
      await kubectl(['delete', 'deployment', name, `--cascade=${propagation}`, '--timeout=60s', ...ns])
      if (propagation === 'orphan') {
        await eventually('the owner is forgotten', async () => (await sets(name))[0]?.metadata.ownerReferences === undefined)
        expect(await sets(name)).toHaveLength(1)
        await kubectl(['delete', 'replicaset', '-l', `app=${name}`, ...ns])
      }
      await eventually('nothing of it is left', async () => (await sets(name)).length === 0 && (await get<{ items: Pod[] }>('pods', '-l', `app=${name}`, ...ns)).items.length === 0)
    }
    expect((await tryKubectl(['get', 'deployment', 'gone-foreground', ...ns])).stderr).toBe('Error from server (NotFound): deployments.apps "gone-foreground" not found\n')
  })
})
