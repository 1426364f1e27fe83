import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findKubectl, kubectl as kubectlWith, startTestServer, type TestServer } from './support/server.ts'

const run = promisify(execFile)
const kubectl = findKubectl()
let under: TestServer
let config: string

async function k(...args: string[]): Promise<string> {
  try {
    const { stdout } = await run(kubectl ?? 'kubectl', ['--kubeconfig', config, ...args])
    return stdout
  } catch (error) {
    const { stderr } = error as { stderr: string }
    throw new Error(stderr.trim(), { cause: error })
  }
}

async function manifest(text: string): Promise<string> {
  const path = join(under.dir, `m${Math.random().toString(36).slice(2)}.yaml`)
  await writeFile(path, text)
  return path
}

const deployment = (image: string, extra = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "${image}"${extra}}]}
`

describe.skipIf(kubectl === undefined)('kubectl', () => {
  beforeAll(async () => {
    under = await startTestServer()
    config = await under.kubeconfigFor('admin', 'system:masters')
    await k('create', 'serviceaccount', 'default')
  })
  afterAll(() => under?.stop())

  it('creates with its subcommands, which speak protobuf', async () => {
    await k('create', 'configmap', 'made', '--from-literal=a=1')
    await k('create', 'secret', 'generic', 'made', '--from-literal=a=1')
    expect(await k('get', 'configmap', 'made', '-o', 'jsonpath={.data.a}')).toBe('1')
    expect(await k('get', 'secret', 'made', '-o', 'jsonpath={.data.a}')).toBe('MQ==')
    expect(await k('auth', 'can-i', 'create', 'pods')).toBe('yes\n')
  })

  it('applies, finds nothing to change, and changes', async () => {
    const first = await manifest(deployment('app:1'))
    expect(await k('apply', '-f', first)).toBe('deployment.apps/web created\n')
    expect(await k('apply', '-f', first)).toBe('deployment.apps/web unchanged\n')
    expect(await k('apply', '-f', await manifest(deployment('app:2')))).toBe('deployment.apps/web configured\n')
    expect(await k('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image} {.metadata.generation}')).toBe('app:2 2')
  })

  it('applies on the server, and is told who owns what it would take', async () => {
    const mine = await manifest('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {a: mine}\n')
    const theirs = await manifest('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {a: theirs}\n')
    await k('apply', '--server-side', '--field-manager=me', '-f', mine)
    await expect(k('apply', '--server-side', '--field-manager=them', '-f', theirs)).rejects.toThrow('conflict with "me": .data.a')
    await k('apply', '--server-side', '--field-manager=them', '--force-conflicts', '-f', theirs)
    expect(await k('get', 'configmap', 'shared', '-o', 'jsonpath={.data.a}')).toBe('theirs')
  })

  it('shows a difference before it is applied', async () => {
    const changed = await manifest(deployment('app:3'))
    await expect(run(kubectl ?? '', ['--kubeconfig', config, 'diff', '-f', changed])).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('app:3') as string })
  })

  it('labels, patches, scales and sets', async () => {
    await k('label', 'deployment', 'web', 'tier=front')
    await k('annotate', 'deployment', 'web', 'note=x')
    await k('patch', 'deployment', 'web', '-p', '{"spec":{"paused":true}}')
    await k('scale', 'deployment', 'web', '--replicas=5')
    await k('set', 'image', 'deployment/web', 'c=app:4')
    const text = await k('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.labels.tier} {.spec.paused} {.spec.replicas} {.spec.template.spec.containers[0].image}')
    expect(text).toBe('front true 5 app:4')
  })

  it('lists as a table, as wide, as yaml and by selector', async () => {
    expect(await k('get', 'deployments')).toMatch(/^NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+0\/5/)
    expect(await k('get', 'deployments', '-o', 'wide')).toContain('app=web')
    expect(await k('get', 'deployments', '-l', 'tier=front', '-o', 'name')).toBe('deployment.apps/web\n')
    expect(await k('get', 'deployments', '-l', 'tier=back', '-o', 'name')).toBe('')
    expect(await k('get', 'deployments', '-o', 'yaml')).toContain('kind: Deployment')
  })

  it('explains a field and describes an object', async () => {
    expect(await k('explain', 'deployment.spec.replicas')).toContain('FIELD: replicas <integer>')
    expect(await k('describe', 'deployment', 'web')).toContain('Selector:               app=web')
  })

  it('watches', async () => {
    const child = spawn(kubectl ?? '', ['--kubeconfig', config, 'get', 'configmaps', '-w', '-o', 'name', '--field-selector=metadata.name=watched'])
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    await k('create', 'configmap', 'watched')
    expect((await lines.next()).value).toBe('configmap/watched')
    await k('label', 'configmap', 'watched', 'x=y')
    expect((await lines.next()).value).toBe('configmap/watched')
    child.kill()
  })

  it('is told what is wrong with a manifest, with the field\'s path', async () => {
    const cases: [string, string][] = [
      [deployment('app:1', ', imagee: x'), 'unknown field "spec.template.spec.containers[0].imagee"'],
      [deployment('app:1').replace('replicas: 2', 'replicas: two'), '": unrecognized type: int32'],
      [deployment('app:1', ', resources: {limits: {cpu: 1x}}'), 'quantities must match the regular expression'],
      [deployment('app:1').replace('matchLabels: {app: web}', 'matchLabels: {app: other}').replace('name: web', 'name: web2'), 'spec.template.metadata.labels: Invalid value'],
      [deployment('app:1').replace(/app: web/g, 'app: changed'), 'spec.selector: Invalid value: {"matchLabels":{"app":"changed"}}: field is immutable'],
      [deployment('').replace('name: web', 'name: web3'), 'spec.template.spec.containers[0].image: Required value'],
    ]
    for (const [text, message] of cases) await expect(k('apply', '-f', await manifest(text))).rejects.toThrow(message)
  })

  it('applies again what it got as a List, and is told what is wrong within one', async () => {
    await k('create', 'configmap', 'listed', '--from-literal=a=1')
    const list = await k('get', 'configmaps', '--field-selector=metadata.name=listed', '-o', 'yaml')
    expect(list).toContain('kind: List\n')
    expect(await kubectlWith(config, ['apply', '-f', '-'], { input: list.replace('a: "1"', 'a: "2"') })).toMatchObject({ code: 0, stdout: 'configmap/listed configured\n' })
    expect(await k('get', 'configmap', 'listed', '-o', 'jsonpath={.data.a}')).toBe('2')
    const unknown = 'apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: other}, dato: {a: "1"}}]\n'
    expect(await kubectlWith(config, ['apply', '-f', '-'], { input: unknown })).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown field "dato"') as string })
    await expect(k('get', 'configmap', 'other')).rejects.toThrow('not found')
  })

  it('says that a kind is not served', async () => {
    const create = async (input: string, ...more: string[]): Promise<string> => (await kubectlWith(config, ['create', '-f', '-', ...more], { input })).stderr
    const unknown = deployment('app:1').replace('kind: Deployment', 'kind: CloneSet')
    expect(await create('apiVersion: batch/v2\nkind: Job\nmetadata: {name: x}\n')).toContain('no matches for kind "Job" in version "batch/v2"')
    expect(await create(unknown)).toContain('no matches for kind "CloneSet" in version "apps/v1"')
    // Gated kinds are absent until their gate is on.
    expect(await create('apiVersion: scheduling.k8s.io/v1alpha2\nkind: PodGroup\nmetadata: {name: x}\n')).toContain('no matches for kind "PodGroup" in version "scheduling.k8s.io/v1alpha2"')
  })

  it('deletes with each propagation, and waits', async () => {
    await k('delete', 'deployment', 'web')
    await expect(k('get', 'deployment', 'web')).rejects.toThrow('deployments.apps "web" not found')
    await k('apply', '-f', await manifest(deployment('app:1')))
    await k('delete', 'deployment', 'web', '--cascade=orphan', '--wait=false')
    expect(await k('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.finalizers}')).toBe('["orphan"]')
  })

  it('sees which resources there are', async () => {
    const text = await k('api-resources', '-o', 'name')
    expect(text).toContain('deployments.apps\n')
    expect(text).toContain('statefulsets.apps\n')
    expect(text).not.toContain('podgroups')
    await expect(k('get', 'podgroups')).rejects.toThrow('the server doesn\'t have a resource type "podgroups"')
  })
})
