// One valid object of many kinds, with where it is posted: what mutations start from.

export interface Sample { path: string, object: Record<string, unknown> & { metadata: { name: string, [field: string]: unknown } } }

const container = { name: 'c', image: 'i:1', ports: [{ containerPort: 80 }], resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1' } }, env: [{ name: 'A', value: 'b' }, { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }], volumeMounts: [{ name: 'v', mountPath: '/v' }], readinessProbe: { httpGet: { path: '/', port: 80 } }, securityContext: { runAsUser: 1 } }
const podSpec = { containers: [container], volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }], tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 3 }], nodeSelector: { a: 'b' }, topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { a: 'b' } } }],
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] } } } }
const template = { metadata: { labels: { a: 'b' } }, spec: podSpec }
const selector = { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'a', operator: 'Exists' }] }

const schema = { type: 'object', properties: {
  spec: { type: 'object', required: ['size'], 'x-kubernetes-validations': [{ rule: 'self.size > 0', message: 'positive' }, { rule: '!has(oldSelf.size) || self.size >= oldSelf.size' }], properties: {
    size: { type: 'integer', minimum: 1, default: 1 }, name: { type: 'string', pattern: '^[a-z]+$', maxLength: 10 }, when: { type: 'string', format: 'date-time' }, any: { 'x-kubernetes-preserve-unknown-fields': true }, mixed: { 'x-kubernetes-int-or-string': true },
    list: { type: 'array', maxItems: 10, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'], items: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, n: { type: 'number' } } } },
    map: { type: 'object', additionalProperties: { type: 'string', enum: ['a', 'b'] } }, one: { oneOf: [{ required: ['x'] }, { required: ['y'] }], type: 'object', properties: { x: { type: 'integer' }, y: { type: 'integer' } } },
  } },
  status: { type: 'object', properties: { size: { type: 'integer' } } },
} }

/** A CustomResourceDefinition of `Thing`s whose plural is `plural`. */
export function definitionOf(plural: string): Sample {
  const singular = plural.replace(/s$/, '')
  return { path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', object: {
    apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `${plural}.fuzz.example.com` },
    spec: { group: 'fuzz.example.com', scope: 'Namespaced', names: { plural, singular, kind: singular[0]?.toUpperCase() + singular.slice(1), shortNames: [] }, versions: [{
      name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
      additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }, { name: 'First', type: 'string', jsonPath: '.spec.list[?(@.id=="a")].n' }], selectableFields: [{ jsonPath: '.spec.name' }],
    }] },
  } }
}

export const customObject: Sample = { path: '/apis/fuzz.example.com/v1/namespaces/default/things', object: {
  apiVersion: 'fuzz.example.com/v1', kind: 'Thing', metadata: { name: 'thing' }, spec: { size: 2, name: 'abc', when: '2026-01-02T03:04:05Z', any: { x: [1] }, mixed: '5%', list: [{ id: 'a', n: 1.5 }, { id: 'b' }], map: { k: 'a' }, one: { x: 1 } },
} }

const namespaced = (group: string, version: string, plural: string, kind: string, rest: object): Sample => ({
  path: `${group === '' ? '/api' : `/apis/${group}`}/${version}/namespaces/default/${plural}`,
  object: { apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata: { name: 'sample', labels: { a: 'b' }, annotations: { note: 'x' } }, ...rest },
})
const cluster = (group: string, version: string, plural: string, kind: string, rest: object, name = 'sample'): Sample => ({
  path: `${group === '' ? '/api' : `/apis/${group}`}/${version}/${plural}`, object: { apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata: { name, finalizers: ['example.com/f'] }, ...rest },
})

export const samples: readonly Sample[] = [
  namespaced('', 'v1', 'configmaps', 'ConfigMap', { data: { a: 'b' }, binaryData: { c: 'AAEC' }, immutable: false }),
  namespaced('', 'v1', 'secrets', 'Secret', { type: 'Opaque', stringData: { a: 'b' }, data: { c: 'AAEC' } }),
  namespaced('', 'v1', 'pods', 'Pod', { spec: podSpec }),
  namespaced('', 'v1', 'services', 'Service', { spec: { type: 'NodePort', selector: { a: 'b' }, ports: [{ name: 'w', port: 80, targetPort: 'web', protocol: 'TCP' }] } }),
  namespaced('', 'v1', 'events', 'Event', { involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, reason: 'R', message: 'm', type: 'Normal', firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z', count: 1, source: { component: 'c' } }),
  namespaced('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }),
  namespaced('', 'v1', 'resourcequotas', 'ResourceQuota', { spec: { hard: { pods: '1000', 'requests.example.com/x': '5' }, scopes: ['NotTerminating'] } }),
  namespaced('', 'v1', 'limitranges', 'LimitRange', { spec: { limits: [{ type: 'Container', max: { cpu: '4' }, default: { cpu: '1' } }] } }),
  namespaced('apps', 'v1', 'deployments', 'Deployment', { spec: { replicas: 2, selector, template, strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } } } }),
  namespaced('apps', 'v1', 'statefulsets', 'StatefulSet', { spec: { serviceName: 's', selector, template, volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }] } }),
  namespaced('apps', 'v1', 'daemonsets', 'DaemonSet', { spec: { selector, template } }),
  namespaced('batch', 'v1', 'jobs', 'Job', { spec: { completions: 2, parallelism: 1, completionMode: 'Indexed', podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [1] } }] }, template: { spec: { ...podSpec, restartPolicy: 'Never' } } } }),
  namespaced('batch', 'v1', 'cronjobs', 'CronJob', { spec: { schedule: '*/5 * * * *', timeZone: 'Europe/Berlin', jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } } } }),
  namespaced('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', { spec: { scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }, maxReplicas: 3, metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }] } }),
  namespaced('autoscaling', 'v1', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', { spec: { scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }, maxReplicas: 3, targetCPUUtilizationPercentage: 50 } }),
  namespaced('networking.k8s.io', 'v1', 'ingresses', 'Ingress', { spec: { rules: [{ host: 'a.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] } }] } }),
  namespaced('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', { spec: { podSelector: selector, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 80, endPort: 90 }] }] } }),
  namespaced('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice', { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }], ports: [{ port: 80 }] }),
  namespaced('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget', { spec: { minAvailable: '50%', selector } }),
  namespaced('coordination.k8s.io', 'v1', 'leases', 'Lease', { spec: { holderIdentity: 'h', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.000000Z' } }),
  namespaced('events.k8s.io', 'v1', 'events', 'Event', { eventTime: '2026-01-01T00:00:00.000000Z', reportingController: 'c', reportingInstance: 'i', action: 'a', reason: 'r', type: 'Normal', regarding: { kind: 'Pod', namespace: 'default', name: 'p' } }),
  namespaced('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding', { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'u' }] }),
  namespaced('resource.k8s.io', 'v1', 'resourceclaims', 'ResourceClaim', { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c', selectors: [{ cel: { expression: 'device.driver == "d"' } }] } }] } } }),
  namespaced('authorization.k8s.io', 'v1', 'localsubjectaccessreviews', 'LocalSubjectAccessReview', { spec: { user: 'u', resourceAttributes: { namespace: 'default', verb: 'get', resource: 'pods' } } }),
  cluster('', 'v1', 'namespaces', 'Namespace', { spec: { finalizers: ['kubernetes'] } }),
  cluster('', 'v1', 'nodes', 'Node', { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }], podCIDR: '10.1.0.0/24' }, status: { capacity: { cpu: '4', 'example.com/x': '3' }, addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] } }),
  cluster('', 'v1', 'persistentvolumes', 'PersistentVolume', { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] }] } } } }),
  cluster('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }], aggregationRule: { clusterRoleSelectors: [selector] } }),
  cluster('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', { provisioner: 'example.com/p', parameters: { a: 'b' }, allowedTopologies: [{ matchLabelExpressions: [{ key: 'z', values: ['a'] }] }] }),
  cluster('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', { value: 5 }),
  cluster('networking.k8s.io', 'v1', 'servicecidrs', 'ServiceCIDR', { spec: { cidrs: ['10.200.0.0/24'] } }),
  cluster('admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', { spec: { matchConstraints: { resourceRules: [{ apiGroups: ['example.com'], apiVersions: ['*'], operations: ['CREATE'], resources: ['nothing'] }] }, variables: [{ name: 'v', expression: 'object.spec' }], validations: [{ expression: 'has(variables.v)', messageExpression: '"no " + string(1)' }], matchConditions: [{ name: 'm', expression: 'request.kind.kind == "X"' }] } }),
  cluster('admissionregistration.k8s.io', 'v1', 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', { webhooks: [{ name: 'w.example.com', clientConfig: { url: 'https://192.0.2.1/x' }, rules: [{ apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothing'] }], sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Ignore' }] }),
  cluster('flowcontrol.apiserver.k8s.io', 'v1', 'flowschemas', 'FlowSchema', { spec: { priorityLevelConfiguration: { name: 'x' }, matchingPrecedence: 1000, rules: [{ subjects: [{ kind: 'User', user: { name: 'u' } }], nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }] } }),
  cluster('certificates.k8s.io', 'v1', 'certificatesigningrequests', 'CertificateSigningRequest', { spec: { request: 'LS0tLS1CRUdJTg==', signerName: 'example.com/s', usages: ['client auth'] } }),
  cluster('authentication.k8s.io', 'v1', 'tokenreviews', 'TokenReview', { spec: { token: 'a.b.c', audiences: ['x'] } }),
  cluster('authorization.k8s.io', 'v1', 'subjectaccessreviews', 'SubjectAccessReview', { spec: { user: 'u', groups: ['g'], extra: { k: ['v'] }, resourceAttributes: { verb: 'list', resource: 'pods', fieldSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b'] }] } } } }),
  { path: '/api/v1/namespaces/default/serviceaccounts/default/token', object: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: { name: 'default' }, spec: { audiences: ['a'], expirationSeconds: 3600, boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'kept' } } } },
  { path: '/api/v1/namespaces/default/pods/kept/eviction', object: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'kept', namespace: 'default' }, deleteOptions: { gracePeriodSeconds: 3, preconditions: { uid: 'x' } } } },
  { path: '/api/v1/namespaces/default/pods/kept/binding', object: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'kept' }, target: { kind: 'Node', name: 'kept' } } },
  { path: '/api/v1/namespaces/default/bindings', object: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'kept' }, target: { kind: 'Node', name: 'kept' } } },
  cluster('authorization.k8s.io', 'v1', 'selfsubjectrulesreviews', 'SelfSubjectRulesReview', { spec: { namespace: 'default' } }),
  cluster('apiregistration.k8s.io', 'v1', 'apiservices', 'APIService', { spec: { group: 'none.example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 10, service: { name: 's', namespace: 'default' } } }, 'v1.none.example.com'),
]
