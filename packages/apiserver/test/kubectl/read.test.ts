import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasKubectl, startCli, type Cli } from '../support/cli.ts'
import type { Json } from '../support/harness.ts'

let cli: Cli
beforeAll(async () => {
  if (!hasKubectl) return
  cli = await startCli()
  await cli.ok('create -f -', { input: [['a', '3'], ['b', '1'], ['c', '2']].map(([name, n]) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { n, set: 'abc' } }, data: { n } })).join('\n') })
  await cli.ok('create deployment web --image=app:1')
  await cli.ok('create -f -', { input: event('web.1', 'Deployment', 'web', 'Normal', 'ScalingReplicaSet', 'Scaled up', 60) + event('web.2', 'Deployment', 'web', 'Warning', 'Failing', 'It fails', 5) + event('other.1', 'Pod', 'other', 'Normal', 'Pulled', 'Pulled it', 30) })
})
afterAll(() => cli?.stop())

/** An event that was seen so many seconds ago. */
function event(name: string, kind: string, of: string, type: string, reason: string, message: string, age: number): string {
  const at = new Date(Date.now() - age * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  return JSON.stringify({ apiVersion: 'v1', kind: 'Event', metadata: { name }, involvedObject: { apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1', kind, name: of, namespace: 'default' }, type, reason, message, firstTimestamp: at, lastTimestamp: at, count: 1, source: { component: 'test' } })
}

/** How many watches of ConfigMaps are open. */
async function configMapWatches(): Promise<number> {
  const gauge = (await cli.ok('get --raw /metrics')).split('\n').filter((line) => line.startsWith('apiserver_longrunning_requests{') && line.includes('resource="configmaps"') && /verb="WATCH"/i.test(line))
  return gauge.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const abc = 'get configmaps -l set=abc'

describe.skipIf(!hasKubectl)('what kubectl reads', () => {
  test('kubectl get: sorted, in pages, with labels as columns, with kinds', async () => {
    expect(await cli.ok(`${abc} --sort-by=.data.n -o name`)).toBe('configmap/b\nconfigmap/c\nconfigmap/a\n')
    expect(await cli.ok(`${abc} --sort-by=.data.n --no-headers`)).toMatch(/^b .*\nc .*\na .*\n$/)
    expect(await cli.ok(`${abc} --chunk-size=1 -o name`)).toBe('configmap/a\nconfigmap/b\nconfigmap/c\n')
    expect(await cli.ok(`${abc} -L n,absent`)).toMatch(/^NAME +DATA +AGE +N +ABSENT\na +1 +\S+ +3 *\nb +1 +\S+ +1 *\nc +1 +\S+ +2 *\n$/)
    expect(await cli.ok(`${abc} --show-labels --show-kind --no-headers`)).toMatch(/^configmap\/a +1 +\S+ +n=3,set=abc\n/)
    expect(await cli.ok('get configmaps,deployments -l set=abc -o name')).toBe('configmap/a\nconfigmap/b\nconfigmap/c\n')
    expect(await cli.ok("get configmaps -l 'n in (1,2),set,!absent' -o name")).toBe('configmap/b\nconfigmap/c\n')
    expect(await cli.ok('get configmaps a b --ignore-not-found absent -o name')).toBe('configmap/a\nconfigmap/b\n')
  })

  test('kubectl get: templates, raw paths, parts of an object, and tables made by the client', async () => {
    expect(await cli.ok(`${abc} -o jsonpath='{range .items[?(@.data.n>"1")]}{.metadata.name}={.data.n};{end}'`)).toBe('a=3;c=2;')
    expect(await cli.ok(`${abc} -o jsonpath-as-json='{.items[*].data.n}'`)).toBe('[\n    "3",\n    "1",\n    "2"\n]\n')
    expect(await cli.ok(`${abc} -o go-template='{{range .items}}{{.metadata.name}}{{end}}'`)).toBe('abc')
    expect(await cli.ok(`${abc} -o custom-columns=NAME:.metadata.name,N:.data.n --no-headers`)).toBe('a     3\nb     1\nc     2\n')
    expect(JSON.parse(await cli.ok("get --raw '/api/v1/namespaces/default/configmaps?labelSelector=n%3D1'"))).toMatchObject({ kind: 'ConfigMapList', items: [{ metadata: { name: 'b' } }] })
    expect(await cli.ok('get --raw /readyz')).toBe('ok')
    expect(await cli.ok('get deployment web --subresource=scale -o jsonpath={.kind}/{.spec.replicas}')).toBe('Scale/1')
    expect(await cli.ok('get deployment web --subresource=scale --no-headers')).toMatch(/^web +1 +0 +\S+\n$/)
    expect(await cli.ok('get configmap a --server-print=false')).toMatch(/^NAME +AGE\na +\S+\n$/)
    expect(await cli.ok('get configmap a -o yaml')).not.toContain('managedFields')
    expect(await cli.ok('get configmap a -o yaml --show-managed-fields')).toContain('manager: kubectl-create')
  })

  test('kubectl get: watches with the kind of each change, and from now on only', async () => {
    const child = spawn('kubectl', ['--kubeconfig', cli.config, 'get', 'configmaps', '--watch-only', '--output-watch-events', '-o', 'custom-columns=T:.type,N:.object.metadata.name', '--no-headers', '--field-selector=metadata.name=seen'])
    const lines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line.replaceAll(/ +/g, ' ').trim()))
    // Nothing says that the watch has begun: it has when a change is seen.
    await expect.poll(async () => {
      await cli.end('create configmap seen')
      await cli.end('delete configmap seen')
      return lines
    }, { timeout: 60_000 }).toEqual(expect.arrayContaining(['ADDED seen', 'DELETED seen']))
    child.kill()
    const once = spawn('kubectl', ['--kubeconfig', cli.config, 'get', 'configmap', 'a', '-w', '-o', 'name'])
    const first = await createInterface({ input: once.stdout })[Symbol.asyncIterator]().next()
    once.kill()
    expect(first.value).toBe('configmap/a')
  })

  test('kubectl explain: a kind, a field, all of it, and from either OpenAPI', async () => {
    expect(await cli.ok('explain deployments')).toMatch(/^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nDESCRIPTION:\n[\s\S]+FIELDS:\n {2}apiVersion\t<string>\n[\s\S]+ {2}spec\t<DeploymentSpec>\n/)
    expect(await cli.ok('explain pod.spec.containers.ports.protocol')).toMatch(/FIELD: protocol <string>\nENUM:\n {4}SCTP\n {4}TCP\n {4}UDP\n/)
    expect(await cli.ok('explain pod.spec.containers')).toMatch(/FIELD: containers <\[\]Container>[\s\S]+ {2}name\t<string> -required-\n/)
    const all = await cli.ok('explain hpa --recursive')
    expect(all).toMatch(/VERSION: +v2\n[\s\S]+ {4}metrics\t<\[\]MetricSpec>\n {6}containerResource\t<ContainerResourceMetricSource>\n {8}container\t<string> -required-\n/)
    expect(await cli.ok('explain hpa --api-version=autoscaling/v1 --recursive')).toContain('targetCPUUtilizationPercentage\t<integer>')
    expect(await cli.ok('explain deployment.spec.replicas --output=plaintext-openapiv2')).toMatch(/FIELD: +replicas <integer>/)
    expect((await cli.end('explain pod.spec.absent')).stderr).toBe('error: field "absent" does not exist\n')
  })

  test('kubectl events: by object, by type, oldest first', async () => {
    expect(await cli.ok('events')).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Normal +ScalingReplicaSet +Deployment\/web +Scaled up\n\S+ +Normal +Pulled +Pod\/other +Pulled it\n\S+ +Warning +Failing +Deployment\/web +It fails\n$/)
    expect(await cli.ok('events --for deployment/web --no-headers')).toMatch(/^\S+ +Normal .*\n\S+ +Warning .*\n$/)
    expect(await cli.ok('events --types=Warning --no-headers -A')).toMatch(/^default +\S+ +Warning +Failing +Deployment\/web +It fails\n$/)
    expect(await cli.ok('get events --field-selector involvedObject.kind=Pod,reason=Pulled -o name')).toBe('event/other.1\n')
  })

  test('kubectl api-resources: short names, verbs, groups and scopes', async () => {
    const text = await cli.ok('api-resources')
    expect(text).toMatch(/^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\n/)
    expect(text).toMatch(/^pods +po +v1 +true +Pod$/m)
    expect(text).toMatch(/^horizontalpodautoscalers +hpa +autoscaling\/v2 +true +HorizontalPodAutoscaler$/m)
    expect(text).toMatch(/^customresourcedefinitions +crd,crds +apiextensions\.k8s\.io\/v1 +false +CustomResourceDefinition$/m)
    expect(await cli.ok('api-resources --api-group=batch -o name')).toBe('cronjobs.batch\njobs.batch\n')
    expect(await cli.ok('api-resources --namespaced=false --verbs=approve,list -o name')).toBe('')
    expect(await cli.ok('api-resources --namespaced=false --api-group=rbac.authorization.k8s.io --no-headers --sort-by=kind')).toMatch(/^clusterroles .*\nclusterrolebindings |^clusterrolebindings .*\nclusterroles /)
    expect(await cli.ok('api-resources --api-group=apps -o wide')).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment +create,delete,deletecollection,get,list,patch,update,watch +all$/m)
    expect(await cli.ok('api-resources --categories=all --api-group= -o name')).toBe('pods\nreplicationcontrollers\nservices\n')
  })

  test('kubectl api-versions: every group in every version that is served', async () => {
    const versions = (await cli.ok('api-versions')).trim().split('\n')
    expect(versions).toEqual(expect.arrayContaining(['v1', 'apps/v1', 'autoscaling/v1', 'autoscaling/v2', 'batch/v1', 'policy/v1', 'resource.k8s.io/v1', 'apiregistration.k8s.io/v1']))
    expect(versions).toEqual([...versions].sort())
  })

  test('kubectl version: the client\'s and the server\'s', async () => {
    expect(await cli.ok('version')).toMatch(/^Server Version: v1\.36\.\d+$/m)
    expect(JSON.parse(await cli.ok('version -o json'))).toMatchObject({ serverVersion: { major: '1', minor: '36', gitVersion: expect.stringMatching(/^v1\.36\.\d+$/) as string, platform: expect.stringMatching(/^linux\//) as string } })
    expect(await cli.ok('version --client')).not.toContain('Server Version')
  })

  test('kubectl cluster-info: where the control plane and its labelled services are', async () => {
    await cli.ok('create -f -', { input: 'apiVersion: v1\nkind: Service\nmetadata: { name: kube-dns, namespace: kube-system, labels: { kubernetes.io/cluster-service: "true", kubernetes.io/name: CoreDNS } }\nspec: { ports: [{ name: dns, port: 53, protocol: UDP }] }\n' })
    // Colours come with the text, terminal or none.
    // eslint-disable-next-line no-control-regex
    const text = (await cli.ok('cluster-info')).replaceAll(/\u001B\[[\d;]*m/g, '')
    expect(text).toContain(`Kubernetes control plane is running at ${cli.under.url}\nCoreDNS is running at ${cli.under.url}/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy\n`)
  })

  test('kubectl cluster-info dump: the objects of namespaces, into a folder', async () => {
    const said = await cli.ok(`cluster-info dump --namespaces=default --output-directory=${cli.under.dir}/dump`)
    expect(said).toBe(`Cluster info dumped to ${cli.under.dir}/dump\n`)
    const dumped = JSON.parse(await readFile(`${cli.under.dir}/dump/default/deployments.json`, 'utf8')) as Json
    expect(dumped).toMatchObject({ kind: 'DeploymentList', items: [{ metadata: { name: 'web' } }] })
    expect(await cli.ok('cluster-info dump --namespaces=default -o yaml')).toMatch(/kind: EventList|kind: NodeList/)
  })

  test('kubectl wait: for what a path says, a condition, a creation and a deletion', async () => {
    await cli.ok('wait configmap/a --for=jsonpath={.data.n}=3 --timeout=30s')
    const created = cli.ok('wait configmap/late --for=create --timeout=60s')
    await cli.ok('create configmap late')
    expect(await created).toBe('configmap/late condition met\n')
    const condition = cli.ok('wait deployment/web --for=condition=Available=False --timeout=60s')
    await cli.ok(`patch deployment web --subresource=status --type=merge -p '{"status":{"conditions":[{"type":"Available","status":"False","reason":"R","message":"m"}]}}'`)
    expect(await condition).toBe('deployment.apps/web condition met\n')
    const before = await configMapWatches()
    const gone = cli.ok('wait configmap/late --for=delete --timeout=60s')
    // What is gone before kubectl has found it cannot be waited for.
    await expect.poll(configMapWatches, { timeout: 60_000, interval: 200 }).toBeGreaterThan(before)
    await cli.ok('delete configmap late')
    expect(await gone).toBe('configmap/late condition met\n')
    expect((await cli.end('wait configmap/a --for=jsonpath={.data.n}=4 --timeout=1s')).stderr).toBe('error: timed out waiting for the condition on configmaps/a\n')
  })
})
