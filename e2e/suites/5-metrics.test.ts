import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { berth } from '../support/berth.ts'
import { hasKubectl, kubectl } from '../support/kubectl.ts'
import { metricsServerImage, metricsServerManifest, programImage } from '../support/metrics-server.ts'
import { tool } from '../support/tools.ts'
import { eventually } from '../support/wait.ts'

const program = tool('metrics-server')
if (program === undefined) console.log('skipped: there is no metrics-server in $KUBEBUILDER_ASSETS, /usr/local/kubebuilder/bin or the path')
const ns = ['-n', 'metrics-suite']

interface Usage { readonly cpu: string, readonly memory: string }
interface NodeMetrics { readonly metadata: { name: string }, readonly usage: Usage }
interface PodMetrics { readonly metadata: { name: string }, readonly containers: { name: string, usage: Usage }[] }

const raw = async <T>(url: string): Promise<T> => JSON.parse(await kubectl(['get', '--raw', url])) as T
const mebibytes = ({ memory }: Usage): number => Number(/^(\d+)Ki$/.exec(memory)?.[1] ?? Number.NaN) / 1024
/** Thousandths of a core. */
const millicores = ({ cpu }: Usage): number => (cpu.endsWith('n') ? Number(cpu.slice(0, -1)) / 1e6 : cpu.endsWith('u') ? Number(cpu.slice(0, -1)) / 1e3 : cpu.endsWith('m') ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000)

// One pod burns a tenth of a core, as its limit has it, and holds a known piece of memory in its tmpfs; another sleeps.
const workload = `
apiVersion: v1
kind: Pod
metadata: { name: busy }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: burner
      image: berth.local/redis:1
      command: [sh, -c, "while :; do :; done"]
      resources: { limits: { cpu: 100m }, requests: { cpu: 50m } }
    - name: holder
      image: berth.local/redis:1
      command: [sh, -c, "head -c 67108864 /dev/zero > /held/it; sleep 100000"]
      volumeMounts: [{ name: held, mountPath: /held }]
  volumes: [{ name: held, emptyDir: { medium: Memory } }]
`

const scaled = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: loaded }
spec:
  selector: { matchLabels: { app: loaded } }
  template:
    metadata: { labels: { app: loaded } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: berth.local/redis:1
          command: [sh, -c, "while :; do :; done"]
          resources: { requests: { cpu: 40m }, limits: { cpu: 80m } }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: loaded }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: loaded }
  minReplicas: 1
  maxReplicas: 3
  metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 50 } } }]
`

describe.skipIf(!hasKubectl || program === undefined)('metrics-server, unmodified (needs kubectl and metrics-server)', () => {
  beforeAll(async () => {
    const archive = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'berth-metrics-')), 'image.tar')
    await programImage(program ?? '', metricsServerImage, archive)
    const loaded = await berth(['image', 'load', archive])
    fs.rmSync(path.dirname(archive), { recursive: true })
    if (loaded.code !== 0) throw new Error(`berth image load: ${loaded.stderr}`)
    await kubectl(['create', 'namespace', 'metrics-suite'])
    await kubectl(['apply', ...ns, '-f', '-'], workload)
    await kubectl(['apply', '-f', '-'], metricsServerManifest)
    await kubectl(['rollout', 'status', 'deployment/metrics-server', '-n', 'kube-system', '--timeout=110s'])
    await kubectl(['wait', '--for=condition=Available', 'apiservice/v1beta1.metrics.k8s.io', '--timeout=110s'])
  })
  afterAll(async () => {
    await kubectl(['delete', '-f', '-', '--ignore-not-found'], metricsServerManifest)
    await kubectl(['delete', 'namespace', 'metrics-suite', '--wait=true', '--timeout=110s'])
  })

  test('its group is found: api-resources, api-versions, explain', async () => {
    await eventually('metrics.k8s.io is discovered', async () => /nodes +metrics\.k8s\.io\/v1beta1 +false +NodeMetrics[\s\S]*pods +metrics\.k8s\.io\/v1beta1 +true +PodMetrics/.test(await kubectl(['api-resources', '--api-group=metrics.k8s.io', '--cached=false'])))
    expect(await kubectl(['api-versions'])).toContain('metrics.k8s.io/v1beta1\n')
    await eventually('it is explained', async () => (await kubectl(['explain', 'podmetrics', '--api-version=metrics.k8s.io/v1beta1'])).includes('containers'))
  })

  test('kubectl top node: every node, with what it uses', async () => {
    const { items } = await eventually('every node was measured', async () => {
      const list = await raw<{ items: NodeMetrics[] }>('/apis/metrics.k8s.io/v1beta1/nodes')
      return list.items.length > 0 && list
    })
    for (const { usage } of items) {
      expect(mebibytes(usage)).toBeGreaterThan(16)
      expect(millicores(usage)).toBeGreaterThan(0)
    }
    expect(await kubectl(['top', 'nodes', '--no-headers'])).toMatch(/^n1 +\d+m +\d+% +\d+Mi +\d+% *$/m)
  })

  test('kubectl top pod: every container; the one that may burn a tenth of a core burns it, the one that holds 64 MiB holds them', async () => {
    const of = async (name: string): Promise<Usage | undefined> => (await raw<PodMetrics>('/apis/metrics.k8s.io/v1beta1/namespaces/metrics-suite/pods/busy')).containers.find((each) => each.name === name)?.usage
    const cpu = await eventually('the burner has been measured at work', async () => {
      const usage = await of('burner')
      return usage && millicores(usage) > 50 && millicores(usage)
    })
    expect(cpu).toBeLessThan(200)
    const memory = await eventually('the holder has been measured', async () => {
      const usage = await of('holder')
      return usage && mebibytes(usage) > 60 && mebibytes(usage)
    })
    expect(memory).toBeLessThan(120)
    expect(await kubectl(['top', 'pods', '--containers', '--no-headers', ...ns])).toMatch(/busy +burner +\d+m +\d+Mi *\n[\s\S]*holder +\d+m +(6\d|7\d|8\d|9\d|1[01]\d)Mi/)
  })

  test('who may not read pods there is refused before metrics-server is asked', async () => {
    await expect(kubectl(['top', 'pods', '--as', 'nobody', ...ns])).rejects.toThrow('pods.metrics.k8s.io is forbidden: User "nobody" cannot list resource "pods" in API group "metrics.k8s.io" in the namespace "metrics-suite"')
  })

  test('a HorizontalPodAutoscaler sees the load of a Deployment and gives it more pods', async () => {
    await kubectl(['apply', ...ns, '-f', '-'], scaled)
    const replicas = await eventually('it was scaled up', async () => {
      const count = Number(await kubectl(['get', 'deployment', 'loaded', '-o', 'jsonpath={.spec.replicas}', ...ns]))
      return count > 1 && count
    }, 180_000)
    expect(replicas).toBeLessThanOrEqual(3)
    expect(await kubectl(['describe', 'hpa', 'loaded', ...ns])).toMatch(/SuccessfulRescale .*New size: [23]; reason: cpu resource utilization \(percentage of request\) above target/)
  })

  test('a namespace goes although metrics-server is gone, once it is back or unregistered', async () => {
    await kubectl(['scale', 'deployment/metrics-server', '--replicas=0', '-n', 'kube-system'])
    await kubectl(['wait', '--for=condition=Available=False', 'apiservice/v1beta1.metrics.k8s.io', '--timeout=110s'])
    await kubectl(['create', 'namespace', 'metrics-suite-gone'])
    await kubectl(['delete', 'namespace', 'metrics-suite-gone', '--wait=false'])
    await eventually('the namespace says why it stays', async () => {
      const conditions = await kubectl(['get', 'namespace', 'metrics-suite-gone', '-o', 'jsonpath={.status.conditions[?(@.type=="NamespaceDeletionDiscoveryFailure")].message}'])
      return conditions.includes('metrics.k8s.io/v1beta1')
    })
    await kubectl(['scale', 'deployment/metrics-server', '--replicas=1', '-n', 'kube-system'])
    await kubectl(['wait', '--for=condition=Available', 'apiservice/v1beta1.metrics.k8s.io', '--timeout=110s'])
    await kubectl(['wait', '--for=delete', 'namespace/metrics-suite-gone', '--timeout=110s'])
  })
})
