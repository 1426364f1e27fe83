// Helm with charts as people write them: hooks of every kind, kinds of their own, and releases that fail.
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deployment } from '@berth/api/types/apps/v1'
import type { Job } from '@berth/api/types/batch/v1'
import type { ConfigMap, Secret } from '@berth/api/types/core/v1'
import { atomic, hasHelm, helm, tryHelm } from '../support/helm.ts'
import { get, hasKubectl, kubectl, tryKubectl } from '../support/kubectl.ts'
import { eventually } from '../support/wait.ts'

const charts = path.resolve(import.meta.dirname, '../charts')
const hooked = path.join(charts, 'hooked')
const widgets = path.join(charts, 'widgets')
const namespace = 'helm-suite'
const ns = ['--namespace', namespace]
const wait = ['--wait', '--timeout', '120s']

if (!hasHelm) console.log('skipped: helm is not installed')

interface Revision { revision: number; status: string; description: string }
const history = async (release: string): Promise<Revision[]> => JSON.parse(await helm(['history', release, ...ns, '-o', 'json'])) as Revision[]
const statusOf = async (release: string): Promise<{ version: number; info: { status: string } }> => JSON.parse(await helm(['status', release, ...ns, '-o', 'json'])) as { version: number; info: { status: string } }
const jobs = async (): Promise<Job[]> => (await get<{ items: Job[] }>('jobs', ...ns)).items
const jobNames = async (): Promise<string[]> => (await jobs()).map((job) => job.metadata.name).sort()
const greeting = async (): Promise<string> => (await get<ConfigMap>('configmap', 'app', ...ns)).data?.['greeting'] ?? ''
const logOf = (job: string): Promise<string> => kubectl(['logs', `job/${job}`, ...ns])

describe.skipIf(!hasHelm || !hasKubectl)('helm and a chart with hooks (needs helm, kubectl)', () => {
  beforeAll(async () => {
    await kubectl(['create', 'namespace', namespace])
  })
  afterAll(async () => {
    await tryKubectl(['delete', 'namespace', namespace, '--wait=true', '--timeout=90s'])
  })

  test('template --validate and install --dry-run=server ask the server, and leave nothing there', async () => {
    expect(await helm(['template', 'app', hooked, ...ns, '--validate'])).toContain('kind: Deployment')
    expect(await helm(['install', 'app', hooked, ...ns, '--dry-run=server'])).toMatch(/STATUS: pending-install[\s\S]*HOOKS:[\s\S]*MANIFEST:/)
    expect((await tryHelm(['template', 'app', hooked, ...ns, '--set', 'greeting='])).stderr).toMatch(/at '\/greeting': minLength: got 0, want 1|String length must be greater/)
    expect(await kubectl(['get', 'deployments,jobs,configmaps', '-l', 'app.kubernetes.io/instance=app', '-o', 'name', ...ns])).toBe('')
    expect(JSON.parse(await helm(['list', ...ns, '-o', 'json']))).toEqual([])
  })

  test('install runs the hooks in their order around the release, and keeps those that say so', async () => {
    expect(await helm(['install', 'app', hooked, ...ns, ...wait])).toMatch(/STATUS: deployed\nREVISION: 1\n[\s\S]*app says hello in revision 1\./)
    expect(await jobNames()).toEqual(['app-post-install-0', 'app-pre-install-3'])
    expect(await logOf('app-pre-install-3')).toBe('pre-install 3 of revision 1\n')
    const deployment = await get<Deployment>('deployment', 'app', ...ns)
    const [post, pre] = await jobs()
    const made = [pre, deployment, post].map((each) => Date.parse(each?.metadata.creationTimestamp ?? ''))
    expect([Date.parse(pre?.status?.completionTime ?? ''), ...made.slice(1)]).toEqual([Date.parse(pre?.status?.completionTime ?? ''), ...made.slice(1)].sort((a, b) => a - b))
    expect(deployment.status?.readyReplicas).toBe(1)
    expect(deployment.metadata).toMatchObject({ labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'app', 'meta.helm.sh/release-namespace': namespace } })
    const again = await tryHelm(['install', 'app', hooked, ...ns])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('cannot re-use a name that is still in use')])
  })

  test('status, list and get tell what is installed', async () => {
    expect((await statusOf('app')).info.status).toBe('deployed')
    expect(JSON.parse(await helm(['list', ...ns, '--filter', '^app$', '-o', 'json']))).toMatchObject([{ name: 'app', namespace, revision: '1', status: 'deployed', chart: 'hooked-0.1.0', app_version: '1' }])
    expect(JSON.parse(await helm(['get', 'values', 'app', ...ns, '--all', '-o', 'json']))).toMatchObject({ greeting: 'hello', replicas: 1 })
    expect(await helm(['get', 'manifest', 'app', ...ns])).toMatch(/kind: ConfigMap[\s\S]*kind: Service[\s\S]*kind: Deployment/)
    expect((await helm(['get', 'hooks', 'app', ...ns])).match(/helm\.sh\/hook: /g)?.length).toBe(9)
    expect(await helm(['get', 'notes', 'app', ...ns])).toContain('app says hello in revision 1.')
    expect(JSON.parse(await helm(['get', 'metadata', 'app', ...ns, '-o', 'json']))).toMatchObject({ name: 'app', chart: 'hooked', version: '0.1.0', revision: 1, status: 'deployed' })
    expect(await helm(['get', 'all', 'app', ...ns])).toMatch(/COMPUTED VALUES:[\s\S]*HOOKS:[\s\S]*MANIFEST:[\s\S]*NOTES:/)
  })

  test('upgrade rolls out what changed, and one that changes nothing changes nothing', async () => {
    await helm(['upgrade', 'app', hooked, ...ns, '--set', 'greeting=bye', ...wait])
    expect([await greeting(), (await statusOf('app')).version]).toEqual(['bye', 2])
    expect(await logOf('app-post-upgrade-1')).toBe('post-upgrade 1 of revision 2\n')
    expect(await jobNames()).not.toContain('app-pre-upgrade-0')
    await eventually('the new pod has spoken', async () => (await kubectl(['logs', 'deployment/app', ...ns])) === 'bye\n')
    const versions = (): Promise<string> => kubectl(['get', 'configmap/app', 'service/app', '-o', 'jsonpath={.items[*].metadata.resourceVersion}', ...ns])
    const [before, generation] = [await versions(), (await get<Deployment>('deployment', 'app', ...ns)).metadata.generation]
    await helm(['upgrade', 'app', hooked, ...ns, '--reuse-values', '--no-hooks'])
    expect([await versions(), (await get<Deployment>('deployment', 'app', ...ns)).metadata.generation]).toEqual([before, generation])
  })

  test('a hook that fails ends the upgrade before anything of it is applied', async () => {
    const { code, stderr } = await tryHelm(['upgrade', 'app', hooked, ...ns, '--set', 'greeting=never', '--set', 'failing=pre-upgrade', ...wait])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/pre-upgrade hooks failed[\s\S]*(BackoffLimitExceeded|app-pre-upgrade-0 failed)/)])
    expect(await greeting()).toBe('bye')
    expect((await history('app')).at(-1)).toMatchObject({ revision: 4, status: 'failed' })
    expect(await logOf('app-pre-upgrade-0')).toBe('pre-upgrade 0 of revision 4\n')
  })

  test('a release that does not get ready is taken back, to what there was before', async () => {
    const { code, stderr } = await tryHelm(['upgrade', 'app', hooked, ...ns, '--set', 'greeting=broken', '--set', 'broken=true', '--no-hooks', atomic, '--timeout', '8s'])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/release app failed, and has been rolled back/)])
    expect(await greeting()).toBe('bye')
    expect((await history('app')).slice(-2)).toMatchObject([{ revision: 5, status: 'failed' }, { revision: 6, status: 'deployed', description: 'Rollback to 3' }])
    const fresh = await tryHelm(['install', 'fresh', hooked, ...ns, '--set', 'broken=true', '--no-hooks', atomic, '--timeout', '6s'])
    expect([fresh.code, fresh.stderr]).toEqual([1, expect.stringMatching(/release fresh failed, and has been uninstalled/)])
    expect(await kubectl(['get', 'deployments', '-o', 'name', ...ns])).toBe('deployment.apps/app\n')
  })

  test('rollback goes back to a revision by its number', async () => {
    expect(await helm(['rollback', 'app', '1', ...ns, ...wait])).toContain('Rollback was a success! Happy Helming!')
    expect([await greeting(), (await history('app')).at(-1)]).toMatchObject(['hello', { revision: 7, status: 'deployed', description: 'Rollback to 1' }])
    expect(await logOf('app-pre-rollback-0')).toContain('pre-rollback 0 of revision')
    expect((await history('app')).map(({ status }) => status)).toEqual(['superseded', 'superseded', 'superseded', 'failed', 'failed', 'superseded', 'deployed'])
  })

  test('the chart\'s own tests run, and one that fails is told of', async () => {
    expect(await helm(['test', 'app', ...ns, '--logs', '--timeout', '90s'])).toMatch(/TEST SUITE: +app-test\n[\s\S]*Phase: +Succeeded\n[\s\S]*app was greeted/)
    await helm(['upgrade', 'app', hooked, ...ns, '--set', 'failing=test', '--no-hooks'])
    const { code, stdout, stderr } = await tryHelm(['test', 'app', ...ns, '--timeout', '90s'])
    expect([code, stdout, stderr]).toEqual([1, expect.stringMatching(/Phase: +Failed/), expect.stringContaining('pod app-test failed')])
  })

  test('uninstall runs its hooks and leaves nothing but them; with --keep-history the release is remembered', async () => {
    expect(await helm(['uninstall', 'app', ...ns, '--keep-history', ...wait])).toContain('release "app" uninstalled')
    expect(await kubectl(['get', 'deployments,services,configmaps', '-l', 'app.kubernetes.io/instance=app', '-o', 'name', ...ns])).toBe('')
    await eventually('its pods are gone', async () => (await kubectl(['get', 'pods', '-l', 'app.kubernetes.io/instance=app', '-o', 'name', ...ns])) === '')
    expect(await jobNames()).toEqual(expect.arrayContaining(['app-post-delete-0', 'app-pre-delete-0']))
    expect((await statusOf('app')).info.status).toBe('uninstalled')
    expect(await helm(['list', ...ns, '-q', '--uninstalled'])).toBe('app\n')
    await helm(['uninstall', 'app', ...ns, '--no-hooks'])
    expect((await tryHelm(['status', 'app', ...ns])).stderr).toContain('release: not found')
    expect(await kubectl(['get', 'secrets', '-l', 'owner=helm', '-o', 'name', ...ns])).toBe('')
  })
})

describe.skipIf(!hasHelm || !hasKubectl)('helm and a chart with a kind of its own (needs helm, kubectl)', () => {
  const facts = async (): Promise<Record<string, string>> => Object.fromEntries(Object.entries((await get<Secret>('secret', 'shop-facts', ...ns)).data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
  let password = ''
  beforeAll(async () => {
    await kubectl(['create', 'namespace', namespace])
  })
  afterAll(async () => {
    await tryKubectl(['delete', 'namespace', namespace, '--wait=true', '--timeout=90s'])
    await tryKubectl(['delete', 'crd', 'widgets.e2e.berth.dev', '--timeout=60s'])
  })

  test('install makes the kind before its objects, and templates learn of the cluster', async () => {
    await helm(['install', 'shop', widgets, ...ns, ...wait])
    expect(await kubectl(['get', 'widgets', ...ns])).toMatch(/^NAME +SIZE +COLOUR\nshop-large +9 +green\nshop-small +1 +green\n$/)
    const learned = await facts()
    expect(learned).toMatchObject({ version: expect.stringMatching(/^v1\.36\./) as string, widgets: 'true', deployments: 'true', extensions: 'false', nodes: '1' })
    password = learned['password'] ?? ''
    expect(password).toMatch(/^\w{16}$/)
  })

  test('upgrade merges objects of the kind, keeps what lookup finds, and drops what left the chart', async () => {
    await kubectl(['label', 'widget', 'shop-small', 'by=hand', ...ns])
    await helm(['upgrade', 'shop', widgets, ...ns, '--set', 'sizes.small=2', '--set', 'sizes.large=null'])
    expect(await kubectl(['get', 'widgets', '-L', 'by', '--no-headers', ...ns])).toMatch(/^shop-small +2 +green +hand\n$/)
    expect((await facts())['password']).toBe(password)
  })

  test('what the kind\'s own rules refuse fails the release', async () => {
    const { code, stderr } = await tryHelm(['upgrade', 'shop', widgets, ...ns, '--set', 'sizes.small=11'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('large widgets are red')])
    expect(await kubectl(['get', 'widget', 'shop-small', '-o', 'jsonpath={.spec.size}', ...ns])).toBe('2')
  })

  test('uninstall takes the objects and leaves the kind', async () => {
    await helm(['uninstall', 'shop', ...ns, ...wait])
    expect(await kubectl(['get', 'widgets', '-o', 'name', ...ns])).toBe('')
    expect(await kubectl(['get', 'crd', 'widgets.e2e.berth.dev', '-o', 'name'])).toBe('customresourcedefinition.apiextensions.k8s.io/widgets.e2e.berth.dev\n')
  })
})
