import { describe, expect, it } from 'vitest'
import { hasValidation, validateCreate } from './index.ts'
import { gvkOf, problems, stored, updateProblems } from './test-support/objects.ts'

const meta = { name: 'x', namespace: 'default' }
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
const selector = { matchLabels: { a: 'b' } }
const workload = (spec: object = {}) => ({ metadata: meta, spec: { selector, template, ...spec } })
const service = (spec: object) => ({ metadata: meta, spec: { ports: [{ port: 80 }], ...spec } })
const role = (rule: object) => ({ metadata: meta, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], ...rule }] })
const binding = (more: object = {}) => ({ metadata: meta, roleRef: { kind: 'Role', name: 'r' }, ...more })
const slice = (more: object) => ({ metadata: meta, addressType: 'IPv4', endpoints: [{ addresses: ['10.1.1.1'] }], ...more })
const event = { metadata: { name: 'x', namespace: 'n' }, involvedObject: { namespace: 'n' } }

describe('creation of', () => {
  it.each<[string, string, object, string[]]>([
    ['v1/ConfigMap', 'a key that is a directory', { metadata: meta, data: { '..': '' } }, ["data[..]: Invalid value: \"..\": must not be '..'"]],
    ['v1/ConfigMap', 'a key in both maps', { metadata: meta, data: { a: '' }, binaryData: { a: '' } }, ['data[a]: Invalid value: "a": duplicate of key present in binaryData']],
    ['v1/Secret', 'basic auth without anything', { metadata: meta, type: 'kubernetes.io/basic-auth' }, ['data[username]: Required value', 'data[password]: Required value']],
    ['v1/Secret', 'a token of nobody', { metadata: meta, type: 'kubernetes.io/service-account-token' }, ['metadata.annotations[kubernetes.io/service-account.name]: Required value']],
    ['v1/Secret', 'docker configuration that is a list', { metadata: meta, type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '[]' } },
      ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}']],
    ['v1/ServiceAccount', 'no problem', { metadata: meta }, []],
    ['v1/Namespace', 'a namespace', { metadata: { name: 'a.b' } }, ['metadata.name: Invalid value: "a.b": must not contain dots']],
    ['v1/Namespace', 'a finalizer of nobody', { metadata: { name: 'a' }, spec: { finalizers: ['mine'] } }, ['spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified']],
    ['v1/Node', 'a fraction of a pod', { metadata: { name: 'n' }, status: { capacity: { pods: '1500m' } } }, ['status.capacity.pods: Invalid value: "1500m": must be an integer', 'status.allocatable.pods: Invalid value: "1500m": must be an integer']],
    ['v1/Node', 'features out of order, or named badly', { metadata: { name: 'n' }, status: { declaredFeatures: ['B/c', 'A', 'A', 'x'] } }, [
      'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically', 'status.declaredFeatures[2]: Duplicate value: "A"',
      `status.declaredFeatures[3]: Invalid value: "x": invalid feature name "x": must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`]],
    ['v1/Node', 'swap of no size', { metadata: { name: 'n' }, status: { nodeInfo: { swap: { capacity: 0 } } } }, ['metadata.nodeSwapStatus.capacity: Invalid value: "0": must be greater than zero']],
    ['v1/Node', 'two networks of one family', { metadata: { name: 'n' }, spec: { podCIDRs: ['10.1.0.0/24', '10.2.0.1/24'] } },
      ['spec.podCIDRs[1]: Invalid value: "10.2.0.1/24": must not have bits set beyond the prefix length', 'spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.1/24"]: may specify no more than one CIDR for each IP family']],
    ['v1/Service', 'two ports without names', service({ ports: [{ port: 80 }, { port: 81 }] }), ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value']],
    ['v1/Service', 'an external name that is none', service({ type: 'ExternalName', externalName: 'A b', ports: undefined }), [expect.stringContaining('spec.externalName: Invalid value: "A b": a lowercase RFC 1123 subdomain') as unknown as string]],
    ['v1/Service', 'an external name with an address', service({ type: 'ExternalName', externalName: 'a.b.', clusterIP: '1.2.3.4', clusterIPs: ['1.2.3.4'] }), ['spec.clusterIPs: Forbidden: may not be set for ExternalName services']],
    ['v1/Service', 'a headless node port', service({ type: 'NodePort', clusterIP: 'None', clusterIPs: ['None'] }), ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"]],
    ['v1/Service', 'three addresses', service({ clusterIP: '1.1.1.1', clusterIPs: ['1.1.1.1', '::1', '1.1.1.2'] }), ['spec.clusterIPs: Invalid value: ["1.1.1.1","::1","1.1.1.2"]: may only hold up to 2 values']],
    ['v1/Service', 'an address of the other family', service({ clusterIP: '1.1.1.1', clusterIPs: ['1.1.1.1'], ipFamilies: ['IPv6'] }), ['spec.clusterIPs[0]: Invalid value: "1.1.1.1": expected an IPv6 value as indicated by `ipFamilies[0]`']],
    ['v1/Service', 'source ranges without a balancer', service({ loadBalancerSourceRanges: ['10.0.0.0/8'] }), ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"]],
    ['v1/Service', 'a balancer that is local but not checked', service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }), ['spec.healthCheckNodePort: Required value']],
    ['v1/Service', 'a name that starts with a digit', { metadata: { name: '1a', namespace: 'n' }, spec: { ports: [{ port: 1 }] } }, [expect.stringContaining('metadata.name: Invalid value: "1a": a DNS-1035 label must consist of') as unknown as string]],
    ['v1/Endpoints', 'a subset of nothing', { metadata: meta, subsets: [{ ports: [{ port: 1 }] }] }, ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`']],
    ['v1/Endpoints', 'a link-local address', { metadata: meta, subsets: [{ addresses: [{ ip: '169.254.1.1' }] }] }, ['subsets[0].addresses[0].ip: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)']],
    ['v1/Event', 'another namespace than its object', { ...event, involvedObject: { namespace: 'm' } }, ['involvedObject.namespace: Invalid value: "m": does not match event.namespace']],
    ['v1/Event', 'a new form that says too little', { ...event, eventTime: '2026-01-01T00:00:00.000000Z', reportingComponent: 'c/d', reportingInstance: 'i' }, ['action: Required value', 'reason: Required value']],
    ['events.k8s.io/v1/Event', 'no time and an unknown type', { metadata: event.metadata, regarding: { namespace: 'n' }, type: 'x', deprecatedCount: 2 },
      ['eventTime: Required value', 'type: Invalid value: "": has invalid value: x', 'count: Invalid value: "": needs to be unset']],
    ['v1/Binding', 'something that is no node', { metadata: meta, target: { kind: 'Pod' } }, ['target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"', 'target.name: Required value']],
    ['policy/v1/Eviction', 'no problem', { metadata: meta }, []],
    ['apps/v1/Deployment', 'no problem', workload(), []],
    ['apps/v1/Deployment', 'neither surge nor unavailability', workload({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } }), ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0']],
    ['apps/v1/Deployment', 'pods that do not restart', workload({ template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } }), ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']],
    ['apps/v1/Deployment', 'negative replicas', workload({ replicas: -1, revisionHistoryLimit: -1 }), ['spec.replicas: Invalid value: -1: must be greater than or equal to 0', 'spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0']],
    ['apps/v1/ReplicaSet', 'an unknown operator', workload({ selector: { matchExpressions: [{ key: 'a', operator: 'Like' }] } }),
      ['spec.selector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator', 'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Like"}]}: invalid label selector']],
    ['discovery.k8s.io/v1/EndpointSlice', 'the other family', slice({ endpoints: [{ addresses: ['::2'] }] }), ['endpoints[0].addresses[0]: Invalid value: "::2": must be a valid IPv4 address']],
    ['discovery.k8s.io/v1/EndpointSlice', 'an unknown address type', slice({ addressType: 'x', endpoints: [] }), ['addressType: Unsupported value: "x": supported values: "FQDN", "IPv4", "IPv6"']],
    ['discovery.k8s.io/v1/EndpointSlice', 'a port twice', slice({ ports: [{ name: 'a', port: 1 }, { name: 'a', port: 2 }] }), ['ports[1].name: Duplicate value: "a"']],
    ['coordination.k8s.io/v1/Lease', 'an unknown strategy', { metadata: meta, spec: { strategy: 'x' } }, ['spec.strategy.strategy: Unsupported value: "x": supported values: "OldestEmulationVersion"']],
    ['networking.k8s.io/v1/IPAddress', 'an address written otherwise', { metadata: { name: '2001:DB8::1' }, spec: { parentRef: { resource: 'services', name: 'a', namespace: 'b' } } }, ['metadata.name: Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")']],
    ['networking.k8s.io/v1/IPAddress', 'no parent', { metadata: { name: '10.0.0.1' } }, ['spec.parentRef: Required value']],
    ['networking.k8s.io/v1/ServiceCIDR', 'two networks of one family', { metadata: { name: 'a' }, spec: { cidrs: ['10.0.0.0/24', '10.1.0.0/24'] } },
      ['spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96']],
    ['rbac.authorization.k8s.io/v1/Role', 'nothing to do', role({ verbs: [] }), ['rules[0].verbs: Required value: verbs must contain at least one value']],
    ['rbac.authorization.k8s.io/v1/Role', 'names of several resources', role({ resources: ['a', 'b'], resourceNames: ['c'] }), []],
    ['rbac.authorization.k8s.io/v1/RoleBinding', 'an account with a group', binding({ subjects: [{ kind: 'ServiceAccount', name: 'a', apiGroup: 'x' }] }), ['subjects[0].apiGroup: Unsupported value: "x": supported values: ""']],
    ['rbac.authorization.k8s.io/v1/ClusterRoleBinding', 'a role of a namespace', { ...binding({ subjects: [{ kind: 'ServiceAccount', name: 'a' }] }), metadata: { name: 'x' } },
      ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"', 'subjects[0].namespace: Required value']],
    ['scheduling.k8s.io/v1/PriorityClass', 'a value of the system\'s', { metadata: { name: 'x' }, value: 1_000_000_001 }, ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000']],
    ['scheduling.k8s.io/v1/PriorityClass', 'no problem with the system\'s own', { metadata: { name: 'system-node-critical' }, value: 2_000_001_000 }, []],
    ['authentication.k8s.io/v1/TokenRequest', 'a moment', { metadata: meta, spec: { audiences: [], expirationSeconds: 1 } }, ['spec.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes']],
    ['authorization.k8s.io/v1/SubjectAccessReview', 'nobody doing nothing', { spec: {} },
      ['spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified', 'spec.user: Invalid value: "": at least one of user or group must be specified']],
    ['authorization.k8s.io/v1/SelfSubjectAccessReview', 'two questions and a name', { metadata: { name: 'a' }, spec: { resourceAttributes: {}, nonResourceAttributes: { path: '/' } } },
      ['spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":""}: cannot be specified in combination with resourceAttributes', 'metadata: Invalid value: {"name":"a"}: must be empty']],
    ['autoscaling/v1/Scale', 'less than nothing', { metadata: meta, spec: { replicas: -1 } }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
  ])('%s with %s', (kind, _, object, expected) => {
    expect(problems(kind, object)).toEqual(expected)
  })

  it('a kind without rules is an error of the caller', () => {
    expect(hasValidation(gvkOf('v1/Pod'))).toBe(true)
    expect(hasValidation(gvkOf('x/v1/Unknown'))).toBe(false)
    expect(() => validateCreate(gvkOf('x/v1/Unknown'), {})).toThrow('no validation rules for x/v1/Unknown')
  })

  it('a name that a path cannot hold', () => {
    expect(problems('rbac.authorization.k8s.io/v1/Role', { metadata: { name: 'a/b%', namespace: 'n' } })).toEqual(['metadata.name: Invalid value: "a/b%": may not contain \'/\'', 'metadata.name: Invalid value: "a/b%": may not contain \'%\''])
  })
})

const old = (kind: object) => ({ metadata: stored, ...kind })
const cluster = { name: 'x', uid: 'u', resourceVersion: '1' }

describe('an update of', () => {
  it.each<[string, string, object, object, string[], string?]>([
    ['v1/ConfigMap', 'what is immutable', old({ data: { a: '2' } }), old({ data: { a: '1' }, immutable: true }), ['immutable: Forbidden: field is immutable when `immutable` is set', 'data: Forbidden: field is immutable when `immutable` is set']],
    ['v1/Secret', 'a type', old({ type: 'a' }), old({ type: 'b' }), ['type: Invalid value: "a": field is immutable']],
    ['v1/Node', 'a network once given', { metadata: cluster, spec: { podCIDR: '10.1.0.0/24' } }, { metadata: cluster, spec: { podCIDR: '10.2.0.0/24' } }, ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid']],
    ['v1/Node', 'a taint without an effect', { metadata: cluster, spec: { taints: [{ key: 'a' }] } }, { metadata: cluster }, ['metadata.taints[0].effect: Required value']],
    ['v1/Node', 'an address twice', { metadata: cluster, status: { addresses: [{ type: 'Hostname', address: 'a' }, { type: 'Hostname', address: 'a' }] } }, { metadata: cluster }, ['status.addresses[1]: Duplicate value: {"Type":"Hostname","Address":"a"}'], 'status'],
    ['v1/Namespace', 'a phase', { metadata: cluster, status: { phase: 'Terminating' } }, { metadata: cluster }, ["status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"], 'status'],
    ['v1/Service', 'an address', old({ spec: { clusterIP: '1.1.1.2', clusterIPs: ['1.1.1.2'], ports: [{ port: 1 }] } }), old({ spec: { clusterIP: '1.1.1.1', clusterIPs: ['1.1.1.1'], ports: [{ port: 1 }] } }), ['spec.clusterIPs[0]: Invalid value: ["1.1.1.2"]: may not change once set']],
    ['v1/Service', 'a balancer\'s status on another type', old({ status: { loadBalancer: { ingress: [{ ip: '1.1.1.1' }] } } }), old({}), ["status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"], 'status'],
    ['apps/v1/Deployment', 'a selector', { ...workload({ selector: { matchLabels: { a: 'b', c: 'd' } }, template: { ...template, metadata: { labels: { a: 'b', c: 'd' } } } }), metadata: stored }, { ...workload(), metadata: stored },
      ['spec.selector: Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable']],
    ['apps/v1/Deployment', 'counts', { ...workload(), metadata: stored, status: { replicas: 1, readyReplicas: 2 } }, { ...workload(), metadata: stored }, ['status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas'], 'status'],
    ['apps/v1/ReplicaSet', 'counts', { ...workload(), metadata: stored, status: { replicas: 1, availableReplicas: 1 } }, { ...workload(), metadata: stored }, ['status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas'], 'status'],
    ['discovery.k8s.io/v1/EndpointSlice', 'an address type', old({ addressType: 'IPv6' }), old({ addressType: 'IPv4' }), ['addressType: Invalid value: "IPv6": field is immutable']],
    ['rbac.authorization.k8s.io/v1/RoleBinding', 'a role', { ...binding(), metadata: stored }, { ...binding({ roleRef: { kind: 'Role', name: 'q' } }), metadata: stored }, ['roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"r"}: cannot change roleRef']],
    ['scheduling.k8s.io/v1/PriorityClass', 'a value', { metadata: cluster, value: 2 }, { metadata: cluster, value: 1 }, ['value: Forbidden: may not be changed in an update.']],
    ['networking.k8s.io/v1/ServiceCIDR', 'a network', { metadata: cluster, spec: { cidrs: ['10.1.0.0/24'] } }, { metadata: cluster, spec: { cidrs: ['10.0.0.0/24'] } }, ['spec.cidrs: Invalid value: ["10.1.0.0/24"]: field is immutable']],
    ['networking.k8s.io/v1/ServiceCIDR', 'a second family, which may come', { metadata: cluster, spec: { cidrs: ['10.0.0.0/24', 'fd00::/112'] } }, { metadata: cluster, spec: { cidrs: ['10.0.0.0/24'] } }, []],
    ['v1/ConfigMap', 'finalizers of what is being deleted', { metadata: { ...stored, deletionTimestamp: 't', finalizers: ['a/b'] } }, { metadata: { ...stored, deletionTimestamp: 't' } },
      ['metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/b"}']],
    ['v1/ConfigMap', 'a version that is not named', { metadata: { ...stored, resourceVersion: '' } }, { metadata: stored }, ['metadata.resourceVersion: Invalid value: "": must be specified for an update']],
  ])('%s: %s', (kind, _, object, before, expected, subresource = '') => {
    expect(updateProblems(kind, object, before, subresource)).toEqual(expected)
  })
})
