// `berth up` and `berth down` with two nodes: pods reach each other across them, and nothing is left behind.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import type { Node, Pod, Service } from '@berth/api/types/core/v1'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterMissing, eventually, image, leftovers, testCluster } from './support/cluster.ts'

const missing = clusterMissing()
if (missing) console.log(`skipped: ${missing}`)

const cluster = testCluster('two')
const { kubectl, layout } = cluster
const items = async <T>(...args: string[]): Promise<T[]> => (JSON.parse(await kubectl(['get', ...args, '-o', 'json'])) as { items: T[] }).items

/** A pod of the Deployment tells its name to whoever asks. */
const web = [
  {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' },
    spec: {
      replicas: 4, selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{
            name: 'web', image, imagePullPolicy: 'Never', command: ['sh', '-c', 'mkdir -p /www && hostname > /www/index.html && exec httpd -f -h /www -p 80'],
            resources: { requests: { cpu: '50m', memory: '16Mi' } }, readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 },
          }],
        },
      },
    },
  },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 8080, targetPort: 80 }] } },
]

describe.skipIf(missing)('a cluster of two nodes', () => {
  let pods: Pod[] = []
  const on = (node: string): Pod[] => pods.filter((pod) => pod.spec.nodeName === node)
  const fetchFrom = (pod: Pod, url: string): Promise<string> => kubectl(['exec', pod.metadata.name, '--', 'timeout', '5', 'wget', '-qO-', url])

  const serviceIp = async (): Promise<string> => (JSON.parse(await kubectl(['get', 'service', 'web', '-o', 'json'])) as Service).spec.clusterIP ?? ''

  beforeAll(async () => {
    await cluster.up('--nodes', '2', '-v', '1')
    await cluster.buildImage()
    await kubectl(['apply', '-f', '-'], web.map((object) => JSON.stringify(object)).join('\n'))
    await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
    pods = await items<Pod>('pods', '-l', 'app=web')
  })
  afterAll(() => cluster.remove())

  test('both nodes are Ready, each with its own address, pod network and share of the machine', async () => {
    const nodes = await items<Node>('nodes')
    expect(nodes.map((n) => [n.metadata.name, n.status?.conditions?.find((c) => c.type === 'Ready')?.status])).toEqual([['n1', 'True'], ['n2', 'True']])
    expect(new Set(nodes.map((n) => n.spec.podCIDR)).size).toBe(2)
    const [one, two] = nodes.map((n) => n.status?.addresses?.find((a) => a.type === 'InternalIP')?.address ?? '')
    expect(one).toMatch(/^172\.30\.\d+\.11$/)
    expect(two).toBe(one?.replace(/11$/, '12'))
    expect(nodes[0]?.status?.capacity?.memory).toBe(nodes[1]?.status?.capacity?.memory)
  })

  test('the pods of one Deployment are on both nodes, with addresses of their node\'s network', async () => {
    const nodes = await items<Node>('nodes')
    for (const node of nodes) {
      expect(on(node.metadata.name).length).toBeGreaterThan(0)
      const network = node.spec.podCIDR?.split('.').slice(0, 3).join('.')
      for (const pod of on(node.metadata.name)) expect(pod.status?.podIP?.split('.').slice(0, 3).join('.')).toBe(network)
    }
  })

  test.each([['n1', 'n2'], ['n2', 'n1'], ['n1', 'n1']])('a pod on %s reaches one on %s by its address', async (from, to) => {
    const [client, target] = [on(from)[0] as Pod, on(to).at(-1) as Pod]
    expect((await fetchFrom(client, `http://${target.status?.podIP}/`)).trim()).toBe(target.metadata.name)
  })

  test.each(['n1', 'n2'])('from %s the Service leads to the pods of both nodes', async (node) => {
    const client = on(node)[0] as Pod
    const answers = await kubectl(['exec', client.metadata.name, '--', 'sh', '-c', `for i in $(seq 60); do timeout 5 wget -qO- http://${await serviceIp()}:8080/ || exit 1; done`])
    // 60 draws among 4: that one is never drawn happens once in ten million times.
    expect([...new Set(answers.trim().split('\n'))].sort()).toEqual(pods.map((pod) => pod.metadata.name).sort())
  })

  test.each(['n1', 'n2'])('the DNS answers on %s', async (node) => {
    const lookUp = (name: string): Promise<string> => kubectl(['exec', on(node)[0]?.metadata.name ?? '', '--', 'nslookup', name])
    expect(await lookUp('kubernetes.default.svc.cluster.local')).toContain('10.96.0.1\n')
    expect(await lookUp('web.default.svc.cluster.local')).toContain(`${await serviceIp()}\n`)
  })

  test('a claim gets a directory on the node of its first pod, keeps it from pod to pod, and gives it back', async () => {
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Mi' } } } }
    const user = (name: string, script: string): object => ({
      apiVersion: 'v1', kind: 'Pod', metadata: { name },
      spec: {
        restartPolicy: 'Never', volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
        containers: [{ name: 'c', image, imagePullPolicy: 'Never', command: ['sh', '-c', script], volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      },
    })
    const run = async (name: string, script: string): Promise<string> => {
      await kubectl(['apply', '-f', '-'], JSON.stringify(user(name, script)))
      await kubectl(['wait', `pod/${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s'])
      const node = await kubectl(['get', 'pod', name, '-o', 'jsonpath={.spec.nodeName}'])
      await kubectl(['delete', 'pod', name])
      return node
    }
    await kubectl(['apply', '-f', '-'], JSON.stringify(claim))
    const node = await run('writer', 'echo kept > /data/file')
    const directories = (): string[] => fs.readdirSync(layout.node(node).storageDir)
    expect(directories()).toEqual([expect.stringMatching(/^pvc-[0-9a-f-]{36}_default_data$/)])
    expect(await run('reader', 'test "$(cat /data/file)" = kept')).toBe(node)
    await kubectl(['delete', 'pvc', 'data'])
    await eventually('volume and directory have gone', async () => {
      const left = [...await items('pv'), ...directories()]
      if (left.length > 0) throw new Error(JSON.stringify(left))
      return true
    })
  })

  test('fewer nodes are refused in plain words, and the cluster runs on', async () => {
    const { code, stderr } = await cluster.berth(['up', '--nodes', '1'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^Error: this cluster has 2 nodes; taking nodes away is not served: .*\n$/)])
    expect((await cluster.berth(['status'])).code).toBe(0)
  })

  test('down ends in order although sessions are open, and leaves nothing on the machine but the data', async () => {
    const [name = ''] = pods.map((pod) => pod.metadata.name)
    const open = [['exec', '-i', name, '--', 'cat'], ['logs', '-f', name], ['get', 'pods', '-w'], ['port-forward', name, ':80']].map((args) => spawn('kubectl', args, { env: { ...process.env, ...cluster.env }, stdio: ['pipe', 'pipe', 'ignore'] }))
    try {
      const [exec, , , forward] = open
      exec?.stdin?.write('hello\n')
      await Promise.all([exec, forward].map((child) => new Promise((resolve) => { child?.stdout?.once('data', resolve) })))
      const { code, stderr } = await cluster.berth(['down'])
      expect([code, stderr]).toEqual([0, ''])
    } finally {
      open.forEach((child) => child.kill('SIGKILL'))
    }
    for (const part of ['server', 'agent-n1', 'agent-n2']) {
      const log = fs.readFileSync(`${layout.logsDir}/${part}.log`, 'utf8')
      expect(log).not.toContain('Cannot stop in order')
      expect(log).toContain(part === 'server' ? '"Stopped" part="apiserver"' : '"Stopped" part="kubelet"')
    }
    expect(await leftovers(layout)).toEqual([])
    expect((await cluster.berth(['status'])).code).toBe(3)
  })

  test('up after down has the same objects, and their pods run again', async () => {
    await cluster.up()
    expect((await items<Pod>('pods', '-l', 'app=web')).map((pod) => pod.metadata.uid).sort()).toEqual(pods.map((pod) => pod.metadata.uid).sort())
    const [client, target] = [on('n1')[0] as Pod, on('n2')[0] as Pod]
    const again = await eventually('the pods serve again', async () => {
      const now = (await items<Pod>('pods', '-l', 'app=web')).find((pod) => pod.metadata.name === target.metadata.name)
      return (await fetchFrom(client, `http://${now?.status?.podIP}/`)).trim()
    })
    expect(again).toBe(target.metadata.name)
  })
})
