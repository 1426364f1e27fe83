import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasKubectl, startCli, type Cli } from '../support/cli.ts'

let cli: Cli
beforeAll(async () => { if (hasKubectl) cli = await startCli() })
afterAll(() => cli?.stop())

const container = (name: string, image: string, more: object = {}): object => ({ containers: [{ name, image, ...more }] })

/** A behaviour, the command line, what it says, and what is then stored. */
const made: [string, string, string, object][] = [
  ['kubectl create clusterrole: rules for resources, subresources and names', 'create clusterrole one --verb=get,list --resource=pods,pods/log,deployments.apps --resource-name=a', 'clusterrole.rbac.authorization.k8s.io/one', {
    rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'], resourceNames: ['a'] }, { verbs: ['get', 'list'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'] }],
  }],
  ['kubectl create clusterrole: rules for URLs', 'create clusterrole urls --verb=get --non-resource-url=/logs/*', 'clusterrole.rbac.authorization.k8s.io/urls', { rules: [{ verbs: ['get'], nonResourceURLs: ['/logs/*'] }] }],
  ['kubectl create clusterrole: an aggregation', 'create clusterrole sum --aggregation-rule=part=sum', 'clusterrole.rbac.authorization.k8s.io/sum', { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'sum' } }] } }],
  ['kubectl create clusterrolebinding: users, groups and accounts', 'create clusterrolebinding one --clusterrole=one --user=u --group=g --serviceaccount=ns:sa', 'clusterrolebinding.rbac.authorization.k8s.io/one', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'one' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'u' }, { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'g' }, { kind: 'ServiceAccount', name: 'sa', namespace: 'ns' }],
  }],
  ['kubectl create configmap: literals, files and an environment file', 'create configmap one --from-literal=a=1 --from-file=named=$DIR/f --from-file=$DIR/f', 'configmap/one', { data: { a: '1', named: 'text\n', f: 'text\n' } }],
  ['kubectl create configmap: from an environment file', 'create configmap env --from-env-file=$DIR/env', 'configmap/env', { data: { KEY: 'value', OTHER: 'x=y' } }],
  ['kubectl create cronjob: a schedule and a command', "create cronjob one --image=i --schedule='*/5 * * * *' --restart=Never -- date +%s", 'cronjob.batch/one', {
    spec: { schedule: '*/5 * * * *', concurrencyPolicy: 'Allow', suspend: false, jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', ...container('one', 'i', { command: ['date', '+%s'] }) } } } } },
  }],
  ['kubectl create deployment: replicas and a port', 'create deployment one --image=app:1 --replicas=3 --port=80', 'deployment.apps/one', {
    spec: { replicas: 3, selector: { matchLabels: { app: 'one' } }, template: { metadata: { labels: { app: 'one' } }, spec: container('app', 'app:1', { ports: [{ containerPort: 80, protocol: 'TCP' }] }) } },
  }],
  ['kubectl create ingress: rules, a TLS secret and a default backend', "create ingress one --class=c --rule='a.b/p*=svc:web,tls=s' --default-backend=other:80 --annotation=k=v", 'ingress.networking.k8s.io/one', {
    metadata: { annotations: { k: 'v' } },
    spec: {
      ingressClassName: 'c', defaultBackend: { service: { name: 'other', port: { number: 80 } } }, tls: [{ hosts: ['a.b'], secretName: 's' }],
      rules: [{ host: 'a.b', http: { paths: [{ path: '/p', pathType: 'Prefix', backend: { service: { name: 'svc', port: { name: 'web' } } } }] } }],
    },
  }],
  ['kubectl create job: a command', 'create job one --image=i -- echo hi', 'job.batch/one', { spec: { parallelism: 1, completions: 1, backoffLimit: 6, template: { spec: { restartPolicy: 'Never', ...container('one', 'i', { command: ['echo', 'hi'] }) } } } }],
  ['kubectl create namespace: a name', 'create namespace one', 'namespace/one', { metadata: { labels: { 'kubernetes.io/metadata.name': 'one' } }, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }],
  ['kubectl create poddisruptionbudget: a share', 'create poddisruptionbudget one --selector=app=one --min-available=50%', 'poddisruptionbudget.policy/one', { spec: { minAvailable: '50%', selector: { matchLabels: { app: 'one' } } } }],
  ['kubectl create priorityclass: value and policy', "create priorityclass one --value=1000 --description='for one' --preemption-policy=Never", 'priorityclass.scheduling.k8s.io/one', { value: 1000, description: 'for one', preemptionPolicy: 'Never' }],
  ['kubectl create quota: amounts', 'create quota one -n quotas --hard=pods=5,requests.cpu=2', 'resourcequota/one -n quotas', { spec: { hard: { pods: '5', 'requests.cpu': '2' } } }],
  ['kubectl create role: rules', 'create role one --verb=get --verb=watch --resource=pods', 'role.rbac.authorization.k8s.io/one', { rules: [{ verbs: ['get', 'watch'], apiGroups: [''], resources: ['pods'] }] }],
  ['kubectl create rolebinding: a ClusterRole in a namespace', 'create rolebinding one --clusterrole=view --serviceaccount=default:default', 'rolebinding.rbac.authorization.k8s.io/one', {
    metadata: { namespace: 'default' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }, subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
  }],
  ['kubectl create secret docker-registry: a login', 'create secret docker-registry reg --docker-server=r.io --docker-username=u --docker-password=p', 'secret/reg', {
    type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': Buffer.from('{"auths":{"r.io":{"username":"u","password":"p","auth":"dTpw"}}}').toString('base64') },
  }],
  ['kubectl create secret generic: literals and files of a type', 'create secret generic one --from-literal=a=1 --from-file=$DIR/f --type=example.com/t', 'secret/one', { type: 'example.com/t', data: { a: 'MQ==', f: 'dGV4dAo=' } }],
  ['kubectl create service clusterip: ports and a headless one', 'create service clusterip none --tcp=80:8080 --clusterip=None', 'service/none', { spec: { type: 'ClusterIP', clusterIP: 'None', selector: { app: 'none' }, ports: [{ name: '80-8080', port: 80, targetPort: 8080, protocol: 'TCP' }] } }],
  ['kubectl create service externalname: a name', 'create service externalname ext --external-name=a.example', 'service/ext', { spec: { type: 'ExternalName', externalName: 'a.example' } }],
  ['kubectl create service loadbalancer: a port', 'create service loadbalancer lb --tcp=80', 'service/lb', { spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: true, ports: [{ name: '80', port: 80, targetPort: 80 }] } }],
  ['kubectl create service nodeport: a port of the node', 'create service nodeport np --tcp=80:80 --node-port=30999', 'service/np', { spec: { type: 'NodePort', ports: [{ name: '80-80', port: 80, nodePort: 30999 }] } }],
  ['kubectl create serviceaccount: a name', 'create serviceaccount one', 'serviceaccount/one', { metadata: { name: 'one', namespace: 'default' } }],
  ['kubectl run: a pod with all that flags say', "run one --image=i --port=80 --env=A=b --labels=app=one,tier=x --restart=Never --annotations=k=v -- arg 'two words'", 'pod/one', {
    metadata: { labels: { app: 'one', tier: 'x' }, annotations: { k: 'v' } },
    spec: { restartPolicy: 'Never', ...container('one', 'i', { args: ['arg', 'two words'], env: [{ name: 'A', value: 'b' }], ports: [{ containerPort: 80, protocol: 'TCP' }] }) },
  }],
]

const job = 'apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: parent }\nspec: { schedule: "@daily", jobTemplate: { metadata: { labels: { a: b } }, spec: { template: { spec: { restartPolicy: Never, containers: [{ name: c, image: i }] } } } } }\n'

describe.skipIf(!hasKubectl)('what kubectl makes', () => {
  beforeAll(async () => {
    await cli.ok('create namespace quotas')
    await cli.file('f', 'text\n')
    await cli.file('env', 'KEY=value\n# comment\nOTHER=x=y\n')
  })

  test.concurrent.each(made)('%s', async (_, line, name, wanted) => {
    expect(await cli.ok(line.replaceAll('$DIR', cli.under.dir))).toBe(`${name.split(' ')[0]} created\n`)
    expect(await cli.get(name)).toMatchObject(wanted)
  })

  test('kubectl create secret tls: a key pair, and none that does not match', async () => {
    const [one, two] = await Promise.all([cli.under.certificateFor('a'), cli.under.certificateFor('b')])
    const [cert, key, other] = await Promise.all([cli.file('crt', one.certificate), cli.file('key', one.key), cli.file('other', two.key)])
    expect(await cli.ok(`create secret tls pair --cert=${cert} --key=${key}`)).toBe('secret/pair created\n')
    expect(await cli.get('secret pair')).toMatchObject({ type: 'kubernetes.io/tls', data: { 'tls.crt': Buffer.from(one.certificate).toString('base64'), 'tls.key': Buffer.from(one.key).toString('base64') } })
    await expect(cli.ok(`create secret tls wrong --cert=${cert} --key=${other}`)).rejects.toThrow('tls: private key does not match public key')
  })

  test('kubectl create token: one that is who it was asked for, as long and for whom', async () => {
    await cli.ok('create serviceaccount robot')
    const token = (await cli.ok('create token robot --duration=1h --bound-object-kind=Secret --bound-object-name=one --audience=them --audience=https://kubernetes.default.svc.cluster.local')).trim()
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { iat: number, exp: number }
    expect(claims).toMatchObject({ sub: 'system:serviceaccount:default:robot', 'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'robot' }, secret: { name: 'one' } } })
    expect(claims.exp - claims.iat).toBe(3600)
    const plain = (await cli.ok('create token robot')).trim()
    expect(await cli.under.ask('/apis/authentication.k8s.io/v1/selfsubjectreviews', { token: plain, body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' } })).toMatchObject({ status: 201, body: { status: { userInfo: { username: 'system:serviceaccount:default:robot' } } } })
    await expect(cli.ok('create token nobody')).rejects.toThrow('error: failed to create token: serviceaccounts "nobody" not found')
  })

  test('kubectl create: files, folders, stdin, raw paths, an editor, and dry runs that leave nothing', async () => {
    const map = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { k: v }\n`
    expect(await cli.ok('create -f -', { input: `${map('first')}---\n${map('second')}` })).toBe('configmap/first created\nconfigmap/second created\n')
    expect(await cli.ok('create --raw /api/v1/namespaces/default/configmaps -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'raw' } }) })).toContain('"name":"raw"')
    const editor = await cli.file('editor', '#!/bin/sh\nsed -i "s/k: v/k: edited/" "$1"\n')
    expect(await cli.ok('create --edit -f -', { input: map('edited'), env: { KUBE_EDITOR: editor } })).toBe('configmap/edited created\n')
    expect((await cli.get('configmap edited'))['data']).toEqual({ k: 'edited' })
    for (const where of ['client', 'server']) expect(await cli.ok(`create configmap dry --from-literal=a=b --dry-run=${where} -o name`)).toBe('configmap/dry\n')
    expect((await cli.end('get configmap dry')).stderr).toBe('Error from server (NotFound): configmaps "dry" not found\n')
    expect(await cli.ok('create configmap owned --field-manager=mine --save-config --from-literal=a=b')).toBe('configmap/owned created\n')
    expect(await cli.get('configmap owned --show-managed-fields')).toMatchObject({ metadata: { managedFields: [{ manager: 'mine', operation: 'Update' }] } })
    expect((await cli.end('create -f -', { input: `${map('typo')}dat: {}\n` })).stderr).toMatch(/strict decoding error: unknown field "dat"/)
    expect(await cli.ok('create -f - --validate=ignore', { input: `${map('typo')}dat: {}\n` })).toBe('configmap/typo created\n')
    const warned = await cli.end('create -f - --validate=warn', { input: `${map('warned')}dat: {}\n` })
    expect([warned.code, warned.stderr]).toEqual([0, 'Warning: unknown field "dat"\n'])
  })

  test('kubectl create job: from a CronJob, whose it is then', async () => {
    await cli.ok('create -f -', { input: job })
    expect(await cli.ok('create job now --from=cronjob/parent')).toBe('job.batch/now created\n')
    expect(await cli.get('job now')).toMatchObject({ metadata: { labels: { a: 'b' }, annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' }, ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'parent', controller: true }] } })
  })

  test('kubectl create quota: is refused a scope that cannot count what it limits', async () => {
    await expect(cli.ok('create quota wrong --hard=requests.cpu=2 --scopes=BestEffort')).rejects.toThrow('ResourceQuota "wrong" is invalid: spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource')
  })

  test('kubectl expose: a deployment, a pod and a service, as Services of theirs', async () => {
    expect(await cli.ok('expose deployment one --name=exposed --port=80 --target-port=http --type=NodePort')).toBe('service/exposed exposed\n')
    expect(await cli.get('service exposed')).toMatchObject({ metadata: { labels: { app: 'one' } }, spec: { type: 'NodePort', selector: { app: 'one' }, ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }] } })
    expect(await cli.ok('expose pod one --name=pod-one --port=5000 --protocol=UDP --session-affinity=ClientIP')).toBe('service/pod-one exposed\n')
    expect(await cli.get('service pod-one')).toMatchObject({ spec: { sessionAffinity: 'ClientIP', selector: { app: 'one', tier: 'x' }, ports: [{ port: 5000, protocol: 'UDP' }] } })
    expect(await cli.ok('expose service exposed --name=again --port=443 --cluster-ip=None')).toBe('service/again exposed\n')
    expect(await cli.get('service again')).toMatchObject({ spec: { clusterIP: 'None', selector: { app: 'one' } } })
  })

  test('kubectl autoscale: a deployment, in the newest version of the kind', async () => {
    expect(await cli.ok('autoscale deployment one --min=2 --max=9 --cpu-percent=70')).toBe('horizontalpodautoscaler.autoscaling/one autoscaled\n')
    expect(await cli.get('hpa one')).toMatchObject({
      apiVersion: 'autoscaling/v2', spec: { minReplicas: 2, maxReplicas: 9, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'one' }, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }] },
    })
    expect(await cli.ok('get hpa one')).toMatch(/^NAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE\none +Deployment\/one +cpu: <unknown>\/70% +2 +9 +0 +\S+\n$/)
  })
})
