import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Pod } from '@berth/api/types/core/v1'
import { pidOf } from '../support/berth.ts'
import { chart, hasHelm, helm, preset, presets, template, tryHelm } from '../support/helm.ts'
import { get, hasKubectl, kubectl, run, tryKubectl } from '../support/kubectl.ts'
import { buildImage, startRegistry, type Registry } from '../support/registry.ts'
import { tool } from '../support/tools.ts'
import { eventually } from '../support/wait.ts'

const root = path.resolve(import.meta.dirname, '../..')
const namespace = 'berth-system'
const kubeconform = tool('kubeconform')
const registryProgram = tool('docker-registry')
const kubeScheduler = tool('kube-scheduler')
const bundled = fs.existsSync(path.join(root, 'packages/berth/dist/berth.js'))
const canRun = hasKubectl && registryProgram !== undefined && bundled

let scratch: string
let registry: Registry | undefined
let image = ''

beforeAll(async () => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-chart-'))
  if (!canRun) return
  registry = await startRegistry(registryProgram)
  image = `${registry.address}/berth`
})
afterAll(async () => {
  await registry?.stop()
  fs.rmSync(scratch, { recursive: true, force: true })
})

/** A pod that a certain scheduler has to place, and that ends at once. */
const shortPod = (name: string, schedulerName: string): string => JSON.stringify({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { suite: 'chart' } },
  spec: { schedulerName, restartPolicy: 'Never', containers: [{ name: 'c', image: `${image}:e2e`, args: ['version'] }] },
})

describe.skipIf(!canRun)('the image (needs kubectl, docker-registry and the bundle)', () => {
  test('it is the same, byte for byte, when it is built again', async () => {
    const first = await buildImage(`${image}:e2e`)
    expect([await buildImage(), first]).toEqual([first, expect.stringMatching(/^sha256:[0-9a-f]{64}$/)])
  })

  test('our node pulls it, and it runs without root, rights or a writable file system', async () => {
    await kubectl(['apply', '-f', '-'], JSON.stringify({
      apiVersion: 'v1', kind: 'Pod', metadata: { name: 'image' },
      spec: {
        restartPolicy: 'Never', automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [{ name: 'c', image: `${image}:e2e`, args: ['version'], securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } } }],
      },
    }))
    await eventually('it has ended well', async () => (await get<Pod>('pod', 'image')).status?.phase === 'Succeeded')
    expect(await kubectl(['logs', 'image'])).toMatch(/^Berth \d+\.\d+\.\d+, Kubernetes v1\.36/)
    await kubectl(['delete', 'pod', 'image'])
  })
})

describe.skipIf(!hasHelm)('the chart as text (needs helm)', () => {
  test.each(presets)('helm lint finds nothing in preset %s', async (name) => {
    expect(await helm(['lint', '--strict', chart, ...preset(name)])).toContain('0 chart(s) failed')
  })

  describe.skipIf(kubeconform === undefined)('(needs kubeconform)', () => {
    beforeAll(async () => {
      const { code, stderr } = await run([process.execPath, path.join(root, 'hack/helm-test/schemas.ts'), path.join(scratch, 'schemas')])
      if (code !== 0) throw new Error(stderr)
    })

    test.each(presets)('every object of preset %s is valid by the schema of its kind', async (name) => {
      const { stdout } = await template([...preset(name), '--set', 'scheduler.metricsService.enabled=true', '--set', 'commonLabels.team=a', '--set', 'imagePullSecrets[0].name=pull'])
      const { code, stdout: said } = await run([kubeconform ?? '', '-strict', '-summary', '-schema-location', path.join(scratch, 'schemas', '{{ .ResourceKind }}{{ .KindSuffix }}.json')], { input: stdout })
      expect([code, said]).toEqual([0, expect.stringMatching(/Valid: (9|1\d), Invalid: 0, Errors: 0, Skipped: 0/)])
    })

    test('an object with an unknown field is found out, so these schemas do hold', async () => {
      const { code } = await run([kubeconform ?? '', '-strict', '-schema-location', path.join(scratch, 'schemas', '{{ .ResourceKind }}{{ .KindSuffix }}.json')], { input: 'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { prots: [] }\n' })
      expect(code).toBe(1)
    })
  })

  test.each<[string, string[], RegExp]>([
    ['nothing is switched on', [], /no part is switched on\. Take a preset \(-f charts\/berth\/values\/beside\.yaml/],
    ['two schedulers would have one name', [...preset('beside'), '--set', 'scheduler.schedulerName=default-scheduler'], /scheduler\.schedulerName: default-scheduler is kube-scheduler's own name.*scheduler\.mode: replace/],
    ['a profile of a second scheduler has kube-scheduler\'s name', [...preset('beside'), '--set-json', 'scheduler.config.profiles=[{"schedulerName":"a"},{}]'], /scheduler\.config\.profiles\[1\]\.schedulerName: default-scheduler/],
    ['the configuration sets what the chart sets', [...preset('beside'), '--set', 'scheduler.config.leaderElection.leaderElect=false'], /scheduler\.config\.leaderElection: the chart sets this itself; use scheduler\.leaderElection/],
    ['a budget would block every drain', [...preset('beside'), '--set', 'scheduler.replicas=1'], /scheduler\.replicas: with one replica .* scheduler\.podDisruptionBudget\.enabled: false/],
    ['a value is misspelt', [...preset('beside'), '--set', 'scheduler.replica=3'], /at '\/scheduler': additional properties 'replica' not allowed/],
    ['a value is none of those allowed', [...preset('beside'), '--set', 'scheduler.mode=instead'], /at '\/scheduler\/mode': value must be one of 'beside', 'replace'/],
    ['a digest is no digest', [...preset('beside'), '--set', 'image.digest=latest'], /at '\/image\/digest': 'latest' does not match pattern/],
    ['an extender without plugins', [...preset('extender-kind'), '--set-json', 'extender.plugins=[]'], /extender\.plugins: name at least one/],
    ['an account that nobody makes', [...preset('beside'), '--set', 'scheduler.serviceAccount.create=false'], /scheduler\.serviceAccount: name the account to use/],
  ])('it is refused that %s', async (_, args, message) => {
    const { code, stderr } = await template(args)
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  })
})

describe.skipIf(!hasHelm || !canRun)('the chart on a cluster (needs helm, kubectl, docker-registry and the bundle)', () => {
  const release = ['--namespace', namespace]
  const values = (): string[] => [...preset('beside'), '--set', 'extender.enabled=true', '--set', `image.repository=${image}`, '--set', 'image.tag=e2e']
  const ourPods = async (): Promise<Pod[]> => (await get<{ items: Pod[] }>('pods', '-n', namespace, '-l', 'app.kubernetes.io/instance=berth')).items

  test('install: both parts come up with two replicas each, as nobody and with nothing to write to', async () => {
    expect(await helm(['install', 'berth', chart, ...release, '--create-namespace', ...values(), '--wait', '--timeout', '120s'])).toContain('schedulerName: berth')
    const pods = await ourPods()
    expect(pods.map((pod) => pod.metadata.labels?.['app.kubernetes.io/component']).sort()).toEqual(['extender', 'extender', 'scheduler', 'scheduler'])
    for (const { spec } of pods) {
      expect([spec.priorityClassName, spec.securityContext?.runAsNonRoot, spec.securityContext?.seccompProfile?.type]).toEqual(['system-cluster-critical', true, 'RuntimeDefault'])
      expect(spec.containers.map((c) => [c.securityContext?.readOnlyRootFilesystem, c.securityContext?.allowPrivilegeEscalation, c.securityContext?.capabilities?.drop])).toEqual([[true, false, ['ALL']]])
    }
  })

  test('helm test: the scheduler places a pod that names it, and the extender answers through its Service', async () => {
    const said = await helm(['test', 'berth', ...release, '--logs', '--timeout', '90s'])
    expect(said.match(/Phase: +Succeeded/g)?.length).toBe(2)
    expect(said).toContain('"FailedNodes":{}')
  })

  test('upgrade: while the schedulers are replaced pods keep coming, and every one gets its node', async () => {
    let upgrading = true
    const upgrade = helm(['upgrade', 'berth', chart, ...release, '--reuse-values', '--set', 'scheduler.verbosity=3', '--wait', '--timeout', '120s']).finally(() => { upgrading = false })
    let count = 0
    while (upgrading || count < 10) {
      await kubectl(['create', '-f', '-'], shortPod(`during-${count++}`, 'berth'))
      await sleep(300)
    }
    await upgrade
    const pods = await eventually('every pod has a node', async () => {
      const { items } = await get<{ items: Pod[] }>('pods', '-l', 'suite=chart')
      return items.every((pod) => pod.spec.nodeName) && items
    }, 60_000)
    expect(pods.length).toBe(count)
    await kubectl(['delete', 'pods', '-l', 'suite=chart', '--grace-period=1'])
  })

  describe.skipIf(kubeScheduler === undefined)('(needs kube-scheduler)', () => {
    test('a stock kube-scheduler with the configuration that the notes print asks the extender', async () => {
      const notes = await helm(['get', 'notes', 'berth', ...release])
      const script = /^---8<---.*\n([\s\S]*?)^--->8---/m.exec(notes)?.[1] ?? ''
      const written = await run(['bash', '-ec', `cd ${scratch}\n${script}`], { env: { KUBECONFIG: inject('kubeconfig') } })
      expect([written.code, written.stderr]).toEqual([0, ''])
      const file = path.join(scratch, 'berth-kube-scheduler.yaml')
      // This one stands beside the cluster's own scheduler, and protobuf is not asked for.
      const text = fs.readFileSync(file, 'utf8').replace('/etc/kubernetes/scheduler.conf', `${inject('kubeconfig')}\n  contentType: application/json`).replace('leaderElect: true', 'leaderElect: false').replace('ignorable: true', 'ignorable: false')
      fs.writeFileSync(file, `${text}profiles: [{ schedulerName: stock }]\n`)
      const child = spawn('nsenter', [`--net=/proc/${await pidOf('agent-n1')}/ns/net`, '--', kubeScheduler ?? '', '--config', file, '--secure-port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] })
      let log = ''
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => { log += chunk })
      try {
        await kubectl(['create', '-f', '-'], shortPod('stock', 'stock'))
        await eventually('the pod has a node', async () => (await get<Pod>('pod', 'stock')).spec.nodeName, 60_000)
        expect(log).not.toContain('extender')
        // The extender is not ignorable here: without its answer there is no node.
        await kubectl(['-n', namespace, 'scale', 'deployment/berth-extender', '--replicas=0'])
        await eventually('the extender is gone', async () => !(await ourPods()).some((pod) => pod.metadata.labels?.['app.kubernetes.io/component'] === 'extender'))
        await kubectl(['create', '-f', '-'], shortPod('lost', 'stock'))
        await eventually('it is told why', async () => (await kubectl(['get', 'events', '--field-selector', 'involvedObject.name=lost,reason=FailedScheduling', '-o', 'jsonpath={.items[*].message}'])).includes('10270/scheduler/filter'), 60_000)
        await kubectl(['-n', namespace, 'scale', 'deployment/berth-extender', '--replicas=2'])
        await eventually('it is placed when the extender is back', async () => (await get<Pod>('pod', 'lost')).spec.nodeName, 90_000)
      } finally {
        child.kill('SIGTERM')
      }
      await kubectl(['delete', 'pods', '-l', 'suite=chart', '--grace-period=1'])
    })
  })

  test('upgrade keeps the certificates, so that kube-scheduler\'s configuration stays true', async () => {
    const certificate = (): Promise<string> => kubectl(['-n', namespace, 'get', 'secret', 'berth-extender-client', '-o', 'jsonpath={.data.tls\\.crt}'])
    const before = await certificate()
    await helm(['upgrade', 'berth', chart, ...release, '--reuse-values', '--set', 'extender.weight=2'])
    expect([await certificate(), before.length > 100]).toEqual([before, true])
  })

  test('uninstall: nothing of the release stays but its lease, and the cluster\'s own scheduler goes on', async () => {
    await helm(['uninstall', 'berth', ...release, '--wait'])
    await eventually('its pods are gone', async () => (await ourPods()).filter((pod) => !pod.metadata.annotations?.['helm.sh/hook']).length === 0)
    const left = await kubectl(['get', 'deployments,services,configmaps,secrets,serviceaccounts,roles,rolebindings,poddisruptionbudgets', '-A', '-l', 'app.kubernetes.io/instance=berth', '-o', 'name'])
    const wide = await kubectl(['get', 'clusterroles,clusterrolebindings', '-l', 'app.kubernetes.io/instance=berth', '-o', 'name'])
    expect(left + wide).toBe('')
    await kubectl(['create', '-f', '-'], shortPod('after', 'default-scheduler'))
    await eventually('it has a node', async () => (await get<Pod>('pod', 'after')).spec.nodeName)
    await kubectl(['delete', 'pod', 'after', '--grace-period=1'])
    await tryKubectl(['delete', 'namespace', namespace, '--wait=false'])
  })

  test('a scheduler that the release was told to make wrong does not come up, and says what is wrong', async () => {
    const { code } = await tryHelm(['install', 'wrong', chart, '--namespace', 'default', ...preset('beside'), '--set', `image.repository=${image}`, '--set', 'image.tag=e2e', '--set', 'scheduler.config.paralelism=4', '--wait', '--timeout', '10s'])
    expect(code).toBe(1)
    expect(await kubectl(['logs', '-l', 'app.kubernetes.io/instance=wrong,app.kubernetes.io/component=scheduler', '--tail=-1'])).toMatch(/config\.yaml: strict decoding error: unknown field \\"paralelism\\"/)
    await helm(['uninstall', 'wrong', '--namespace', 'default'])
  })
})
