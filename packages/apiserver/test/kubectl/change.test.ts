import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasKubectl, startCli, type Cli } from '../support/cli.ts'

let cli: Cli
beforeAll(async () => { if (hasKubectl) cli = await startCli() })
afterAll(() => cli?.stop())

const map = (name: string, data: Record<string, string>, labels: Record<string, string> = {}): string => `${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data })}\n`
const dataOf = async (name: string): Promise<unknown> => (await cli.get(`configmap ${name}`))['data']
const names = async (selector: string): Promise<string> => (await cli.ok(`get configmaps -l ${selector} -o jsonpath={.items[*].metadata.name}`)).trim()

describe.skipIf(!hasKubectl)('what kubectl changes', () => {
  test('kubectl apply: merges three ways: what others added stays, what was dropped from the file goes', async () => {
    await cli.ok('apply -f -', { input: map('three', { a: '1', b: '1' }) })
    await cli.ok(`patch configmap three --type=merge -p '{"data":{"theirs":"1"}}'`)
    expect(await cli.ok('apply -f -', { input: map('three', { a: '2' }) })).toBe('configmap/three configured\n')
    expect(await dataOf('three')).toEqual({ a: '2', theirs: '1' })
    expect(await cli.ok('apply -f - --dry-run=server -o jsonpath={.data.a}', { input: map('three', { a: '3' }) })).toBe('3')
    expect(await dataOf('three')).toEqual({ a: '2', theirs: '1' })
  })

  test('kubectl apply: folders, kustomizations, and what is no longer in them is pruned', async () => {
    await mkdir(join(cli.under.dir, 'set/base'), { recursive: true })
    await cli.file('set/base/one.yaml', map('one', { k: 'v' }))
    await cli.file('set/base/two.yaml', map('two', { k: 'v' }))
    const kustomization = (...resources: string[]): Promise<string> => cli.file('set/base/kustomization.yaml', JSON.stringify({ resources, namePrefix: 'p-', labels: [{ pairs: { set: 'pruned' } }] }))
    await kustomization('one.yaml', 'two.yaml')
    expect(await cli.ok(`apply -k ${cli.under.dir}/set/base`)).toBe('configmap/p-one created\nconfigmap/p-two created\n')
    await kustomization('one.yaml')
    expect(await cli.ok(`apply -k ${cli.under.dir}/set/base --prune -l set=pruned --prune-allowlist=core/v1/ConfigMap`)).toBe('configmap/p-one unchanged\nconfigmap/p-two pruned\n')
    expect(await names('set=pruned')).toBe('p-one')
    const applySet = '--prune --applyset=configmaps/parent'
    const env = { KUBECTL_APPLYSET: 'true' }
    await cli.ok(`apply -n default ${applySet} -f -`, { input: map('x', { k: '1' }) + map('y', { k: '1' }), env })
    expect(await cli.ok(`apply -n default ${applySet} -f -`, { input: map('x', { k: '1' }), env })).toBe('configmap/x unchanged\nconfigmap/y pruned\n')
  })

  test('kubectl apply: on the server takes over what was applied by the client', async () => {
    await cli.ok('apply -f -', { input: map('moved', { a: '1', b: '1' }) })
    expect(await cli.ok('apply --server-side -f -', { input: map('moved', { a: '2' }) })).toBe('configmap/moved serverside-applied\n')
    expect(await dataOf('moved')).toEqual({ a: '2' })
    const { metadata } = await cli.get('configmap moved --show-managed-fields')
    expect(metadata['managedFields']).toMatchObject([{ manager: 'kubectl-last-applied', operation: 'Apply' }, { manager: 'kubectl', operation: 'Apply' }])
  })

  test('kubectl apply view-last-applied: what was applied last, as YAML and JSON', async () => {
    await cli.ok('apply -f -', { input: map('last', { a: '1' }) })
    expect(await cli.ok('apply view-last-applied configmap/last')).toBe('apiVersion: v1\ndata:\n  a: "1"\nkind: ConfigMap\nmetadata:\n  annotations: {}\n  labels: {}\n  name: last\n  namespace: default\n')
    expect(JSON.parse(await cli.ok('apply view-last-applied configmap last -o json'))).toMatchObject({ data: { a: '1' } })
  })

  test('kubectl apply set-last-applied: of a file, and not of what was never applied', async () => {
    expect(await cli.ok('apply set-last-applied -f -', { input: map('last', { a: '2' }) })).toBe('configmap/last configured\n')
    expect(await cli.ok('apply view-last-applied configmap/last')).toContain('a: "2"')
    expect(await dataOf('last')).toEqual({ a: '1' })
    await cli.ok('create configmap never')
    await expect(cli.ok('apply set-last-applied -f -', { input: map('never', {}) })).rejects.toThrow('no last-applied-configuration annotation found on resource: never, to create the annotation, run the command with --create-annotation')
    expect(await cli.ok('apply set-last-applied --create-annotation -f -', { input: map('never', { n: '1' }) })).toBe('configmap/never configured\n')
    expect(await cli.ok('apply view-last-applied configmap/never')).toContain('"n": "1"')
  })

  test('kubectl apply edit-last-applied: in an editor', async () => {
    const editor = await cli.file('editor-last', '#!/bin/sh\nsed -i "s/a: .2./a: \\"9\\"/" "$1"\n')
    expect(await cli.ok('apply edit-last-applied configmap/last', { env: { KUBE_EDITOR: editor } })).toBe('configmap/last edited\n')
    expect(await cli.ok('apply view-last-applied configmap/last')).toContain('a: "9"')
  })

  test('kubectl diff: what would change on the server, and nothing where nothing would', async () => {
    await cli.ok('apply -f -', { input: map('differing', { a: '1', b: '1' }) })
    expect(await cli.end('diff -f -', { input: map('differing', { a: '1', b: '1' }) })).toEqual({ code: 0, stdout: '', stderr: '' })
    const { code, stdout } = await cli.end('diff -f -', { input: map('differing', { a: '2', b: '1' }) + map('brand-new', { c: '1' }) })
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^- {2}a: "1"\n\+ {2}a: "2"$/m)])
    expect(stdout).toMatch(/^\+ {2}c: "1"$/m)
    expect((await cli.end('diff --server-side --field-manager=other -f -', { input: map('differing', { a: '2' }) })).stderr).toMatch(/conflict with "kubectl-client-side-apply"/)
    expect((await cli.end('get configmap brand-new')).code).toBe(1)
  })

  test('kubectl edit: an object, what one may not change, and nothing', async () => {
    await cli.ok('apply -f -', { input: map('edited', { a: '1' }) })
    const editor = (name: string, script: string): Promise<string> => cli.file(name, `#!/bin/sh\n${script}\n`)
    const env = async (script: string): Promise<Record<string, string>> => ({ KUBE_EDITOR: await editor(`e${Math.random().toString(36).slice(2)}`, script) })
    expect(await cli.ok('edit configmap edited', { env: await env('sed -i "s/a: .1./a: \\"2\\"/" "$1"') })).toBe('configmap/edited edited\n')
    expect(await dataOf('edited')).toEqual({ a: '2' })
    expect(await cli.ok('edit configmap edited -o json', { env: await env('sed -i "s/\\"a\\": \\"2\\"/\\"a\\": \\"3\\"/" "$1"') })).toContain('"a": "3"')
    const unchanged = await cli.end('edit configmap edited', { env: await env('true') })
    expect([unchanged.code, unchanged.stdout + unchanged.stderr]).toEqual([0, 'Edit cancelled, no changes made.\n'])
    await cli.ok('create deployment edited --image=a:1')
    expect(await cli.ok('edit deployment edited --subresource=status', { env: await env('sed -i "s/status: {}/status: {replicas: 7}/" "$1"') })).toBe('deployment.apps/edited edited\n')
    expect(await cli.ok('get deployment edited -o jsonpath={.spec.replicas}/{.status.replicas}')).toBe('1/7')
    // What is refused is shown again, with the reason on top; leaving it as it is ends the matter.
    const refused = await cli.end('edit deployment edited', { env: await env('sed -i "s/app: edited/app: other/" "$1"; grep -q "field is immutable" "$1" && cp "$1" "$(dirname "$0")/reason"; true') })
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/is invalid|Edit cancelled/)])
    expect(await readFile(join(cli.under.dir, 'reason'), 'utf8')).toMatch(/# deployments\.apps "edited" was not valid:\n# \* spec\.selector: Invalid value: [\s\S]*field is immutable/)
  })

  test('kubectl replace: whole objects, at a version, by force, by a raw path, and their parts', async () => {
    await cli.ok('create -f -', { input: map('replaced', { a: '1', b: '1' }) })
    expect(await cli.ok('replace -f -', { input: map('replaced', { c: '1' }) })).toBe('configmap/replaced replaced\n')
    expect(await dataOf('replaced')).toEqual({ c: '1' })
    const stale = await cli.ok('get configmap replaced -o json')
    await cli.ok('label configmap replaced x=y')
    await expect(cli.ok('replace -f -', { input: stale })).rejects.toThrow('Operation cannot be fulfilled on configmaps "replaced": the object has been modified; please apply your changes to the latest version and try again')
    const before = (await cli.get('configmap replaced'))['metadata']['uid']
    expect(await cli.ok('replace --force -f -', { input: map('replaced', { d: '1' }) })).toBe('configmap "replaced" deleted\nconfigmap/replaced replaced\n')
    expect((await cli.get('configmap replaced'))['metadata']['uid']).not.toBe(before)
    expect(await cli.ok('replace --raw /api/v1/namespaces/default/configmaps/replaced -f -', { input: map('replaced', { e: '1' }) })).toContain('"e":"1"')
    await expect(cli.ok('replace -f -', { input: map('absent', {}) })).rejects.toThrow('configmaps "absent" not found')
    await cli.ok('create deployment parts --image=a:1')
    const parts = await cli.get('deployment parts')
    expect(await cli.ok('replace --subresource=status -f -', { input: JSON.stringify({ ...(parts as object), spec: {}, status: { replicas: 4 } }) })).toBe('deployment.apps/parts replaced\n')
    expect(await cli.ok('get deployment parts -o jsonpath={.spec.replicas}/{.status.replicas}')).toBe('1/4')
  })

  test('kubectl patch: of parts, from a file, of what is only here, and refused where it does not fit', async () => {
    await cli.ok('create deployment patched --image=a:1')
    const file = await cli.file('patch.yaml', 'spec:\n  template:\n    spec:\n      containers:\n        - name: side\n          image: s:1\n')
    expect(await cli.ok(`patch deployment patched --patch-file=${file}`)).toBe('deployment.apps/patched patched\n')
    expect(await cli.ok('get deployment patched -o jsonpath={.spec.template.spec.containers[*].name}')).toBe('side a')
    expect(await cli.ok(`patch deployment patched -p '{"metadata":{}}'`)).toBe('deployment.apps/patched patched (no change)\n')
    expect(await cli.ok(`patch deployment patched --subresource=scale --type=merge -p '{"spec":{"replicas":3}}'`)).toBe('scale.autoscaling/patched patched\n')
    expect(await cli.ok('get deployment patched -o jsonpath={.spec.replicas}')).toBe('3')
    expect(await cli.ok(`patch deployment patched --subresource=status --type=merge -p '{"status":{"replicas":2}}' -o jsonpath={.status.replicas}`)).toBe('2')
    await expect(cli.ok(`patch deployment patched --type=json -p '[{"op":"test","path":"/spec/replicas","value":9}]'`)).rejects.toThrow('The request is invalid: the server rejected our request due to an error in our request')
    await expect(cli.ok(`patch deployment patched -p '{"spec":{"replicas":"x"}}'`)).rejects.toThrow('The request is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32')
    const local = await cli.ok(`patch --local -f - --type=merge -p '{"data":{"a":"2"}}' -o jsonpath={.data.a}`, { input: map('nowhere', { a: '1' }) })
    expect(local).toBe('2')
  })

  test('kubectl label: sets, refuses to change without leave, changes with it, at a version, all of a kind, lists', async () => {
    await cli.ok('create -f -', { input: map('l1', {}, { group: 'l' }) + map('l2', {}, { group: 'l' }) })
    expect(await cli.ok('label configmaps -l group=l a=1')).toBe('configmap/l1 labeled\nconfigmap/l2 labeled\n')
    await expect(cli.ok('label configmap l1 a=2')).rejects.toThrow("error: 'a' already has a value (1), and --overwrite is false")
    expect(await cli.ok('label configmap l1 a=2 --overwrite')).toBe('configmap/l1 labeled\n')
    expect(await cli.ok('label configmap l1 a=2 --overwrite')).toBe('configmap/l1 not labeled\n')
    await expect(cli.ok('label configmap l1 a=3 --overwrite --resource-version=1')).rejects.toThrow('the object has been modified')
    expect((await cli.ok('label configmap l1 --list')).split('\n').sort()).toEqual(['', 'a=2', 'group=l'])
    expect(await cli.ok('label configmap l1 a-')).toBe('configmap/l1 unlabeled\n')
    await expect(cli.ok('label configmap l1 b=-x')).rejects.toThrow("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'")
  })

  test('kubectl annotate: sets, changes with leave, removes, lists', async () => {
    await cli.ok('create configmap noted')
    expect(await cli.ok("annotate configmap noted a='two words' b=1")).toBe('configmap/noted annotated\n')
    await expect(cli.ok('annotate configmap noted b=2')).rejects.toThrow('error: --overwrite is false but found the following declared annotation(s): \'b\' already has a value (1)')
    expect(await cli.ok('annotate configmap noted b=2 --overwrite')).toBe('configmap/noted annotated\n')
    expect(await cli.ok('annotate configmap noted --list')).toMatch(/^(a=two words\nb=2|b=2\na=two words)\n$/)
    await cli.ok('annotate configmap noted a-')
    expect((await cli.get('configmap noted'))['metadata']['annotations']).toEqual({ b: '2' })
  })

  test('kubectl delete: by name, selector, field, file, all of a kind, by a raw path, asked back, and in a dry run', async () => {
    await cli.ok('create -f -', { input: ['d1', 'd2', 'd3', 'd4', 'd5'].map((name) => map(name, {}, { group: 'd' })).join('') })
    expect(await cli.ok('delete configmap d1 --dry-run=server')).toBe('configmap "d1" deleted (server dry run)\n')
    expect(await cli.ok('delete configmap/d1')).toBe('configmap "d1" deleted\n')
    expect(await cli.ok('delete configmaps --field-selector=metadata.name=d2 -o name')).toBe('configmap/d2\n')
    expect(await cli.ok('delete -f -', { input: map('d3', {}) })).toBe('configmap "d3" deleted\n')
    expect(JSON.parse(await cli.ok('delete --raw /api/v1/namespaces/default/configmaps/d4'))).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'd4', kind: 'configmaps' } })
    expect(await cli.ok('delete configmaps -l group=d --now')).toBe('configmap "d5" deleted\n')
    expect(await cli.ok('delete configmap d1 --ignore-not-found')).toBe('')
    expect((await cli.end('delete configmap d1')).stderr).toBe('Error from server (NotFound): configmaps "d1" not found\n')
    await cli.ok('create namespace emptied')
    await cli.ok('create configmap -n emptied a')
    expect(await cli.ok('delete configmaps --all -n emptied')).toBe('configmap "a" deleted\n')
    await cli.ok('create configmap -n emptied b')
    expect(await cli.ok('delete configmap b -n emptied -i', { input: 'n\n' })).toContain('deletion is cancelled')
    expect(await cli.ok('delete configmap b -n emptied -i', { input: 'y\n' })).toContain('configmap "b" deleted')
  })

  test('kubectl delete: waits for finalizers, or does not', async () => {
    const held = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['example.com/hold'] } })
    await cli.ok('create -f -', { input: held })
    await expect(cli.ok('delete configmap held --timeout=1s')).rejects.toThrow('error: timed out waiting for the condition on configmaps/held')
    expect((await cli.get('configmap held'))['metadata']['deletionTimestamp']).toBeDefined()
    await cli.ok(`patch configmap held --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'`)
    await cli.ok('create -f -', { input: held })
    const waiting = cli.ok('delete configmap held --timeout=60s')
    await expect.poll(async () => (await cli.get('configmap held'))['metadata']['deletionTimestamp'], { timeout: 60_000 }).toBeDefined()
    await cli.ok(`patch configmap held --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'`)
    expect(await waiting).toBe('configmap "held" deleted\n')
  })

  test('kubectl scale: from a number, several, and what has no scale', async () => {
    await cli.ok('create deployment scaled --image=a')
    await expect(cli.ok('scale deployment scaled --replicas=2 --current-replicas=5')).rejects.toThrow('error: Expected replicas to be 5, was 1')
    expect(await cli.ok('scale deployment/scaled --replicas=2 --current-replicas=1')).toBe('deployment.apps/scaled scaled\n')
    expect(await cli.ok('scale deployments -l app=scaled --replicas=0')).toBe('deployment.apps/scaled scaled\n')
    expect(await cli.ok('get deployment scaled -o jsonpath={.spec.replicas}')).toBe('0')
    await expect(cli.ok('scale configmap/noted --replicas=1')).rejects.toThrow('could not find the requested resource')
  })

  test('kubectl kustomize: builds what the server then takes', async () => {
    await mkdir(join(cli.under.dir, 'over'), { recursive: true })
    await cli.file('over/d.yaml', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: k }\nspec: { selector: { matchLabels: { a: k } }, template: { metadata: { labels: { a: k } }, spec: { containers: [{ name: c, image: app:1 }] } } }\n')
    await cli.file('over/kustomization.yaml', JSON.stringify({ resources: ['d.yaml'], nameSuffix: '-x', images: [{ name: 'app', newTag: '2' }], replicas: [{ name: 'k', count: 5 }], configMapGenerator: [{ name: 'gen', literals: ['a=b'] }] }))
    const built = await cli.ok(`kustomize ${cli.under.dir}/over`)
    expect(built).toMatch(/name: gen-x-[a-z0-9]{10}\n[\s\S]*image: app:2/)
    await cli.ok('apply -f -', { input: built })
    expect(await cli.ok('get deployment k-x -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].image}')).toBe('5/app:2')
  })
})

describe.skipIf(!hasKubectl)('what kubectl sets', () => {
  beforeEach(async () => {
    await cli.ok('delete deployment web --ignore-not-found')
    await cli.ok('create deployment web --image=app:1')
  })
  const container = async (path: string): Promise<string> => cli.ok(`get deployment web -o jsonpath='{.spec.template.spec${path}}'`)

  test('kubectl set env: values, from a ConfigMap, none, and lists them', async () => {
    expect(await cli.ok('set env deployment/web A=1 B=2')).toBe('deployment.apps/web env updated\n')
    await cli.ok('create configmap vars --from-literal=K=v')
    await cli.ok('set env deployment/web --from=configmap/vars --prefix=P_ B-')
    expect(JSON.parse(await container('.containers[0].env'))).toEqual([{ name: 'A', value: '1' }, { name: 'P_K', valueFrom: { configMapKeyRef: { name: 'vars', key: 'K' } } }])
    expect(await cli.ok('set env deployment/web --list --resolve')).toBe('# Deployment web, container app\nA=1\nP_K=v\n')
  })

  test('kubectl set image: of a container by name and of all', async () => {
    expect(await cli.ok('set image deployment/web app=app:2')).toBe('deployment.apps/web image updated\n')
    expect(await container('.containers[0].image')).toBe('app:2')
    expect(await cli.ok("set image deployments '*=app:3' --all")).toContain('deployment.apps/web image updated\n')
    expect(await container('.containers[0].image')).toBe('app:3')
    await expect(cli.ok('set image deployment/web absent=x')).rejects.toThrow('unable to find container named "absent"')
  })

  test('kubectl set resources: limits and requests, and takes them away', async () => {
    expect(await cli.ok('set resources deployment/web --limits=cpu=200m,memory=64Mi --requests=cpu=100m')).toBe('deployment.apps/web resource requirements updated\n')
    expect(JSON.parse(await container('.containers[0].resources'))).toEqual({ limits: { cpu: '200m', memory: '64Mi' }, requests: { cpu: '100m' } })
    await cli.ok('set resources deployment/web --limits=cpu=0,memory=0 --requests=cpu=0')
    expect(JSON.parse(await container('.containers[0].resources'))).toMatchObject({ limits: { cpu: '0' } })
    await expect(cli.ok('set resources deployment/web --limits=cpu=1 --requests=cpu=2')).rejects.toThrow('spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1')
  })

  test('kubectl set selector: of a service', async () => {
    await cli.ok('create service clusterip chosen --tcp=80')
    expect(await cli.ok('set selector service chosen a=b,c=d')).toBe('service/chosen selector updated\n')
    expect((await cli.get('service chosen'))['spec']['selector']).toEqual({ a: 'b', c: 'd' })
  })

  test('kubectl set serviceaccount: of a template', async () => {
    await cli.ok('create serviceaccount worker').catch(() => undefined)
    expect(await cli.ok('set serviceaccount deployment web worker')).toBe('deployment.apps/web serviceaccount updated\n')
    expect(await container('.serviceAccountName')).toBe('worker')
  })

  test('kubectl set subject: of a binding', async () => {
    await cli.ok('create rolebinding bound --clusterrole=view --user=a')
    expect(await cli.ok('set subject rolebinding bound --user=b --group=g --serviceaccount=ns:sa')).toBe('rolebinding.rbac.authorization.k8s.io/bound subjects updated\n')
    expect((await cli.get('rolebinding bound'))['subjects']).toMatchObject([{ kind: 'User', name: 'a' }, { kind: 'User', name: 'b' }, { kind: 'Group', name: 'g' }, { kind: 'ServiceAccount', name: 'sa', namespace: 'ns' }])
  })
})
