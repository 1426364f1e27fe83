import { describe, expect, it } from 'vitest'
import { gvkOf } from '../validation/test-support/objects.ts'
import { applyDefaults } from './index.ts'
import { imageTag } from './image-name.ts'

function defaulted<T extends object>(kind: string, object: T): T {
  const copy = structuredClone(object)
  applyDefaults(gvkOf(kind), copy)
  const again = structuredClone(copy)
  applyDefaults(gvkOf(kind), again)
  expect(again, 'applied twice').toEqual(copy)
  return copy
}

const container = { name: 'c', image: 'i:1', imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' }
const spec = { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler', securityContext: {}, terminationGracePeriodSeconds: 30 }
const pod = (more: object) => ({ metadata: { name: 'x' }, spec: { containers: [{ name: 'c', image: 'i:1' }], ...more } })
const specOf = (more: object) => defaulted('v1/Pod', pod(more)).spec as Record<string, unknown>

describe('defaults of', () => {
  it('a pod', () => {
    expect(defaulted('v1/Pod', pod({})).spec).toEqual({ ...spec, containers: [container], enableServiceLinks: true })
  })

  it('a pod\'s requests, which are its limits where it says nothing, in canonical form', () => {
    const { containers } = specOf({ containers: [{ ...container, resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: '0.5' } } }] })
    expect(containers).toMatchObject([{ resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } } }])
  })

  it('a pod on the host\'s network: its ports are the host\'s', () => {
    expect(specOf({ hostNetwork: true, containers: [{ ...container, ports: [{ containerPort: 80 }] }] })['containers']).toMatchObject([{ ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }] }])
  })

  it('probes, hooks and variables', () => {
    const probe = { httpGet: { port: 80 } }
    expect(specOf({ containers: [{ ...container, livenessProbe: probe, startupProbe: { grpc: { port: 1 } }, lifecycle: { preStop: probe }, env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }, { name: 'b', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }] }] })['containers']).toMatchObject([{
      livenessProbe: { httpGet: { port: 80, path: '/', scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
      startupProbe: { grpc: { port: 1, service: '' } },
      lifecycle: { preStop: { httpGet: { path: '/', scheme: 'HTTP' } } },
      env: [{ valueFrom: { fieldRef: { apiVersion: 'v1' } } }, { valueFrom: { resourceFieldRef: { divisor: '0' } } }],
    }])
  })

  it('volumes', () => {
    expect(specOf({ volumes: [{ name: 'a' }, { name: 'b', hostPath: { path: '/' } }, { name: 'c', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }, { name: 'd', image: { reference: 'i' } }] })['volumes']).toEqual([
      { name: 'a', emptyDir: {} }, { name: 'b', hostPath: { path: '/', type: '' } }, { name: 'c', projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }] } },
      { name: 'd', image: { reference: 'i', pullPolicy: 'Always' } },
    ])
  })

  it('a pod with limits of its own: it requests what its containers do, or its limits', () => {
    expect(specOf({ containers: [{ ...container, resources: { requests: { cpu: '1' } } }, { ...container, name: 'd', resources: { requests: { cpu: '500m' } } }], resources: { limits: { cpu: '4', memory: '1Gi' } } })['resources'])
      .toEqual({ limits: { cpu: '4', memory: '1Gi' }, requests: { cpu: '1500m', memory: '1Gi' } })
  })

  it('mirrored fields: the account\'s old name, a negative grace, a status\'s addresses', () => {
    expect(specOf({ serviceAccount: 'a', terminationGracePeriodSeconds: -5 })).toMatchObject({ serviceAccount: 'a', serviceAccountName: 'a', terminationGracePeriodSeconds: 1 })
    expect(defaulted('v1/Pod', { ...pod({}), status: { podIP: '1.1.1.1', podIPs: [{ ip: '2.2.2.2' }] } })).toMatchObject({ status: { podIPs: [{ ip: '1.1.1.1' }] } })
    expect(defaulted('v1/Node', { spec: { podCIDR: '10.1.0.0/24' }, status: { capacity: { cpu: '4000m' } } })).toEqual({ spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] }, status: { capacity: { cpu: '4' }, allocatable: { cpu: '4' } } })
  })

  it('a deployment and a replica set: what only pods have is not in their templates', () => {
    const object = { spec: { template: { spec: { containers: [{ name: 'c', image: 'i:1', resources: { limits: { cpu: '1' } } }], terminationGracePeriodSeconds: -5 } } } }
    const template = { spec: { ...spec, terminationGracePeriodSeconds: -5, containers: [{ ...container, resources: { limits: { cpu: '1' } } }] } }
    expect(defaulted('apps/v1/Deployment', object)).toEqual({
      spec: { template, replicas: 1, strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } }, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 },
    })
    expect(defaulted('apps/v1/ReplicaSet', object)).toEqual({ spec: { template, replicas: 1 } })
  })

  it.each<[string, object, object]>([
    ['v1/Service', { spec: { ports: [{ port: 80 }] } }, { spec: { ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }], sessionAffinity: 'None', type: 'ClusterIP', internalTrafficPolicy: 'Cluster' } }],
    ['v1/Service', { spec: { type: 'LoadBalancer', sessionAffinity: 'ClientIP', externalTrafficPolicy: 'Local' } },
      { spec: { type: 'LoadBalancer', sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } }, externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Cluster', allocateLoadBalancerNodePorts: true } }],
    ['v1/Service', { spec: { type: 'ExternalName', externalName: 'a.b' } }, { spec: { type: 'ExternalName', externalName: 'a.b', sessionAffinity: 'None' } }],
    ['v1/Namespace', { metadata: { name: 'n' } }, { metadata: { name: 'n', labels: { 'kubernetes.io/metadata.name': 'n' } }, status: { phase: 'Active' } }],
    ['v1/Secret', { stringData: { a: 'b' }, data: { a: 'eA==', c: 'ZA==' } }, { type: 'Opaque', data: { a: 'Yg==', c: 'ZA==' } }],
    ['v1/ConfigMap', { data: {} }, {}],
    ['v1/Endpoints', { subsets: [{ ports: [{ port: 1 }] }] }, { subsets: [{ ports: [{ port: 1, protocol: 'TCP' }] }] }],
    ['discovery.k8s.io/v1/EndpointSlice', { ports: [{ port: 1 }] }, { ports: [{ port: 1, name: '', protocol: 'TCP' }] }],
    ['rbac.authorization.k8s.io/v1/RoleBinding', { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', name: 'u' }, { kind: 'ServiceAccount', name: 's' }] },
      { roleRef: { kind: 'Role', name: 'r', apiGroup: 'rbac.authorization.k8s.io' }, subjects: [{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }, { kind: 'ServiceAccount', name: 's' }] }],
    ['scheduling.k8s.io/v1/PriorityClass', { value: 1 }, { value: 1, preemptionPolicy: 'PreemptLowerPriority' }],
    ['authentication.k8s.io/v1/TokenRequest', {}, { spec: { audiences: [], expirationSeconds: 3600 } }],
    ['coordination.k8s.io/v1/Lease', { spec: {} }, { spec: {} }],
  ])('%s', (kind, object, expected) => {
    expect(defaulted(kind, object)).toEqual(expected)
  })
})

describe('an image\'s tag', () => {
  it.each([
    ['i', 'latest'], ['i:1', '1'], ['r.example:5000/a/i', 'latest'], ['r.example:5000/a/i:v', 'v'], [`i@sha256:${'0'.repeat(64)}`, ''], [`i:v@sha256:${'0'.repeat(64)}`, 'v'], ['localhost/i', 'latest'], ['A/b', 'latest'], ['a/B', ''], [' i', ''], ['', ''],
  ])('%j is %j', (image, tag) => {
    expect(imageTag(image)).toBe(tag)
  })
})
