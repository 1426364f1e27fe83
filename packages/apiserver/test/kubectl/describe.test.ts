import { createCertificateRequest } from '@berth/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasKubectl, startCli, type Cli } from '../support/cli.ts'

let cli: Cli
beforeAll(async () => {
  if (!hasKubectl) return
  cli = await startCli()
  await cli.ok('create -f -', { input: objects.map(([object]) => JSON.stringify(object)).join('\n') })
})
afterAll(() => cli?.stop())

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }], env: [{ name: 'E', value: 'v' }], resources: { limits: { cpu: '1' }, requests: { cpu: '500m' } } }] } }
const jobTemplate = { spec: { ...template.spec, restartPolicy: 'Never' } }
const selector = { matchLabels: { a: 'b' } }
const of = (apiVersion: string, kind: string, more: object, metadata: object = {}): object => ({ apiVersion, kind, metadata: { name: 'x', ...metadata }, ...more })

/** What is described, and what has to be in the description. Describers that ask for beta versions alone (service CIDRs, IP addresses) find none, as on any server of today. */
const objects: [object, string, RegExp[]][] = [
  [of('v1', 'ConfigMap', { data: { key: 'value' } }), 'configmap x', [/^Name: +x\nNamespace: +default\n/, /Data\n====\nkey:\n----\nvalue\n/, /BinaryData\n====\n/]],
  [of('v1', 'Secret', { stringData: { key: 'value' } }), 'secret x', [/^Type: +Opaque$/m, /^key: +5 bytes$/m]],
  [of('v1', 'ServiceAccount', { imagePullSecrets: [{ name: 'pull' }] }), 'serviceaccount x', [/^Image pull secrets: +pull \(not found\)$/m, /^Tokens: +<none>$/m]],
  [of('v1', 'Namespace', {}), 'namespace x', [/^Status: +Active$/m, /^Resource Quotas\n {2}Name: +x\n/m, /^No LimitRange resource\.$/m]],
  [of('v1', 'Pod', { spec: { ...template.spec, nodeSelector: { k: 'v' }, initContainers: [{ name: 'init', image: 'j', command: ['true'] }] } }), 'pod x', [
    /^Status: +Pending$/m, /^Init Containers:\n {2}init:\n {4}Image: +j$/m, /^ {4}Limits:\n {6}cpu: +1\n {4}Requests:\n {6}cpu: +500m$/m, /^ {6}E: +v$/m, /^QoS Class: +Burstable$/m, /^Node-Selectors: +k=v$/m, /^ {2}kube-api-access-\w+:\n {4}Type: +Projected/m,
    /^Tolerations: +node\.kubernetes\.io\/not-ready:NoExecute op=Exists for 300s\n +node\.kubernetes\.io\/unreachable:NoExecute op=Exists for 300s$/m,
  ]],
  [of('v1', 'PodTemplate', { template }), 'podtemplate x', [/^Kind: +PodTemplate$/m]],
  [of('v1', 'ReplicationController', { spec: { replicas: 2, template } }), 'replicationcontroller x', [/^Replicas: +0 current \/ 2 desired$/m, /^Pods Status: +\d+ Running/m]],
  [of('v1', 'Service', { spec: { selector: { a: 'b' }, ports: [{ name: 'p', port: 80, targetPort: 'q' }] } }), 'service x', [/^Type: +ClusterIP$/m, /^IP Families: +IPv4$/m, /^Port: +p {2}80\/TCP\nTargetPort: +q\/TCP\nEndpoints: +<none>$/m, /^Internal Traffic Policy: +Cluster$/m]],
  [of('v1', 'Endpoints', { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ name: 'p', port: 80 }] }] }), 'endpoints x', [/^ {2}Addresses: +10\.0\.0\.1\n {2}NotReadyAddresses: +<none>$/m, /^ {4}p +80 +TCP$/m]],
  [of('v1', 'Node', { spec: { taints: [{ key: 't', effect: 'NoSchedule' }] }, status: { capacity: { cpu: '4' }, allocatable: { cpu: '3' }, conditions: [{ type: 'Ready', status: 'True', reason: 'R', message: 'm' }] } }), 'node x', [
    /^Taints: +node\.kubernetes\.io\/not-ready:NoSchedule\n +t:NoSchedule$/m, /^Capacity:\n {2}cpu: +4\nAllocatable:\n {2}cpu: +3$/m, /^ {2}Ready +True .* R +m$/m, /^Non-terminated Pods: +\(0 in total\)$/m, /^Lease: +Failed to get lease: leases\.coordination\.k8s\.io \S+ not found$/m,
  ]],
  [of('v1', 'PersistentVolume', { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/p' } } }), 'persistentvolume x', [/^Status: +Pending$/m, /^Reclaim Policy: +Retain$/m, /^ {4}Type: +HostPath \(bare host directory volume\)\n {4}Path: +\/p$/m]],
  [of('v1', 'PersistentVolumeClaim', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }), 'persistentvolumeclaim x', [/^Status: +Pending$/m, /^Used By: +<none>$/m]],
  [of('v1', 'LimitRange', { spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '2Gi' } }] } }), 'limitrange x', [/^PersistentVolumeClaim +storage +- +2Gi +- +- +-$/m]],
  [of('v1', 'ResourceQuota', { spec: { hard: { configmaps: '9' } } }, { namespace: 'x' }), 'resourcequota x -n x', [/^Resource +Used +Hard\n-+ +-+ +-+/m]],
  [of('apps/v1', 'Deployment', { spec: { replicas: 0, selector, template } }), 'deployment x', [/^Replicas: +0 desired \| 0 updated \| 0 total \| 0 available \| 0 unavailable$/m, /^StrategyType: +RollingUpdate$/m, /^RollingUpdateStrategy: +25% max unavailable, 25% max surge$/m]],
  [of('apps/v1', 'ReplicaSet', { spec: { replicas: 0, selector, template } }), 'replicaset x', [/^Replicas: +0 current \/ 0 desired$/m]],
  [of('apps/v1', 'StatefulSet', { spec: { replicas: 0, selector, template, serviceName: 's' } }), 'statefulset x', [/^Update Strategy: +RollingUpdate\n {2}Partition: +0$/m]],
  [of('apps/v1', 'DaemonSet', { spec: { selector, template } }), 'daemonset x', [/^Desired Number of Nodes Scheduled: 0$/m]],
  [of('apps/v1', 'ControllerRevision', { revision: 3, data: { a: 1 } }), 'controllerrevision x', [/^Revision: +3$/m]],
  [of('batch/v1', 'Job', { spec: { template: jobTemplate } }), 'job x', [/^Completion Mode: +NonIndexed$/m, /^Pods Statuses: +0 Active \/ 0 Succeeded \/ 0 Failed$/m]],
  [of('batch/v1', 'CronJob', { spec: { schedule: '@daily', jobTemplate: { spec: { template: jobTemplate } } } }), 'cronjob x', [/^Schedule: +@daily\nConcurrency Policy: +Allow$/m, /^Last Schedule Time: +<unset>$/m]],
  [of('autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } } }), 'horizontalpodautoscaler x', [/^Reference: +Deployment\/x$/m, /resource cpu on pods {2}\(as a percentage of request\): +<unknown> \/ 80%/, /^Max replicas: +5$/m]],
  [of('policy/v1', 'PodDisruptionBudget', { spec: { maxUnavailable: 1, selector } }), 'poddisruptionbudget x', [/^Max unavailable: +1\nSelector: +a=b\nStatus:\n {4}Allowed disruptions: +0$/m]],
  [of('networking.k8s.io/v1', 'Ingress', { spec: { rules: [{ host: 'h', http: { paths: [{ path: '/p', pathType: 'Prefix', backend: { service: { name: 'x', port: { number: 80 } } } }] } }] } }), 'ingress x', [/^ {2}h +\n +\/p +x:80 \(.*\)$/m]],
  [of('networking.k8s.io/v1', 'IngressClass', { spec: { controller: 'e.com/c' } }), 'ingressclass x', [/^Controller: +e\.com\/c$/m]],
  [of('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: selector, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }], policyTypes: ['Ingress'] } }), 'networkpolicy x', [/PodSelector: +a=b\n {2}Allowing ingress traffic:\n {4}To Port: 80\/TCP\n {4}From:\n {6}PodSelector: <none>/, /Not affecting egress traffic/]],
  [of('discovery.k8s.io/v1', 'EndpointSlice', { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true }, nodeName: 'n' }], ports: [{ name: 'p', port: 80 }] }), 'endpointslice x', [/^ {2}- Addresses: +10\.0\.0\.1\n {4}Conditions:\n {6}Ready: +true$/m]],
  [of('storage.k8s.io/v1', 'StorageClass', { provisioner: 'e.com/p', parameters: { k: 'v' } }), 'storageclass x', [/^Provisioner: +e\.com\/p\nParameters: +k=v$/m, /^VolumeBindingMode: +Immediate$/m]],
  [of('storage.k8s.io/v1', 'CSINode', { spec: { drivers: [{ name: 'd', nodeID: 'i', topologyKeys: null }] } }), 'csinode x', [/^ {4}d:\n {6}Node ID: +i$/m]],
  [of('storage.k8s.io/v1', 'CSIDriver', { spec: { attachRequired: false } }), 'csidriver x', [/^ {2}Attach Required: +false$/m]],
  [of('storage.k8s.io/v1', 'VolumeAttachment', { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'p' } } }), 'volumeattachment x', [/^ {2}Attacher: +a$/m]],
  [of('scheduling.k8s.io/v1', 'PriorityClass', { value: 5, description: 'd' }), 'priorityclass x', [/^Value: +5\nGlobalDefault: +false\nPreemptionPolicy: +PreemptLowerPriority\nDescription: +d$/m]],
  [of('node.k8s.io/v1', 'RuntimeClass', { handler: 'h' }), 'runtimeclass x', [/^Handler: +h$/m]],
  [of('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }), 'role x', [/^ {2}pods +\[\] +\[\] +\[get\]$/m]],
  [of('rbac.authorization.k8s.io/v1', 'ClusterRole', { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] }), 'clusterrole x', [/^ +\[\/x\] +\[\] +\[get\]$/m]],
  [of('rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'x' }, subjects: [{ kind: 'User', name: 'u' }] }), 'rolebinding x', [/^Role:\n {2}Kind: +Role\n {2}Name: +x$/m, /^ {2}User +u *$/m]],
  [of('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'x' }, subjects: [{ kind: 'Group', name: 'g' }] }), 'clusterrolebinding x', [/^ {2}Group +g *$/m]],
  [of('coordination.k8s.io/v1', 'Lease', { spec: { holderIdentity: 'me' } }), 'lease x', [/^ {2}Holder Identity: +me$/m]],
  [of('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', { spec: { matchConstraints: { resourceRules: [{ apiGroups: ['e.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['none'] }] }, validations: [{ expression: 'true' }] } }), 'validatingadmissionpolicy x', [/Expression: +true/]],
  [of('flowcontrol.apiserver.k8s.io/v1', 'PriorityLevelConfiguration', { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } }), 'prioritylevelconfiguration x', [/^ {2}Type: +Limited$/m]],
  [of('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { spec: { group: 'e.com', scope: 'Namespaced', names: { plural: 'things', kind: 'Thing' }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }] } }, { name: 'things.e.com' }), 'crd things.e.com', [/^ {4}Kind: +Thing$/m, /NamesAccepted/]],
  [of('resource.k8s.io/v1', 'DeviceClass', { spec: { selectors: [{ cel: { expression: 'true' } }] } }), 'deviceclass x', [/Expression: +true/]],
]

describe.skipIf(!hasKubectl)('what kubectl describes', () => {
  test.concurrent.each(objects.map(([, name, wanted]) => [name, wanted] as const))('kubectl describe: %s', async (name, wanted) => {
    const text = await cli.ok(`describe ${name}`)
    for (const part of wanted) expect(text).toMatch(part)
  })

  test('kubectl describe: an object of a kind of one\'s own, several by selector and prefix, with events and without', async () => {
    await expect.poll(async () => (await cli.end('create -f -', { input: JSON.stringify({ apiVersion: 'e.com/v1', kind: 'Thing', metadata: { name: 'mine', labels: { l: 'm' } }, spec: { someField: [{ a: 1 }] } }) })).code, { timeout: 30_000 }).toBe(0)
    expect(await cli.ok('describe thing mine')).toMatch(/^Name: +mine\nNamespace: +default\nLabels: +l=m\nAnnotations: +<none>\nAPI Version: +e\.com\/v1\nKind: +Thing\n[\s\S]*Spec:\n {2}Some Field:\n {4}A: +1\nEvents: +<none>\n$/)
    await cli.ok('create -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'x', namespace: 'default', uid: (await cli.get('pod x'))['metadata']['uid'] }, reason: 'Because', message: 'it was', type: 'Normal', count: 2, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z', source: { component: 'me' } }) })
    expect(await cli.ok('describe pod x')).toMatch(/Events:\n {2}Type +Reason +Age +From +Message\n {2}-.*\n {2}Normal +Because +\S+ \(x2 over \S+\) +me +it was\n$/)
    expect(await cli.ok('describe pod x --show-events=false')).not.toContain('Events:')
    await cli.ok('create configmap prefix-1')
    await cli.ok('create configmap prefix-2')
    expect((await cli.ok('describe configmaps prefix')).match(/^Name: +prefix-\d$/gm)).toEqual(['Name:         prefix-1', 'Name:         prefix-2'])
    expect((await cli.end('describe configmap absent')).stderr).toBe('Error from server (NotFound): configmaps "absent" not found\n')
    expect((await cli.ok('describe all')).match(/^Name: /gm)?.length).toBeGreaterThan(5)
  })

  test('kubectl describe: a request for a certificate', async () => {
    await cli.ok('create -f -', { input: JSON.stringify(of('certificates.k8s.io/v1', 'CertificateSigningRequest', { spec: { signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'], request: Buffer.from((await createCertificateRequest({ commonName: 'alice', organizations: [] })).request).toString('base64') } })) })
    expect(await cli.ok('describe csr x')).toMatch(/^Requesting User: +admin\nSigner: +kubernetes\.io\/kube-apiserver-client\nStatus: +Pending\nSubject:\n\s+Common Name: +alice$/m)
  })
})
