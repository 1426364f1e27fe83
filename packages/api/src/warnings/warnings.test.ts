import { describe, expect, it } from 'vitest'
import { warningsOf } from './index.ts'

const pod = { group: '', version: 'v1', kind: 'Pod' }
const deployment = { group: 'apps', version: 'v1', kind: 'Deployment' }
const service = { group: '', version: 'v1', kind: 'Service' }
const named = (name: string, spec: object, annotations = {}): object => ({ metadata: { name, annotations }, spec })
const one = (fields: object): object => ({ containers: [{ name: 'c', ...fields }] })

describe('warningsOf', () => {
  it.each<[string, { group: string; version: string; kind: string }, object, string[]]>([
    ['an ordinary pod', pod, named('a', one({ image: 'i' })), []],
    ['an annotation without effect', pod, named('a', one({}), { 'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default' }),
      ['metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead']],
    ['an old label and a fraction of a byte', pod, named('a', { ...one({ resources: { limits: { memory: '100m' } } }), nodeSelector: { 'beta.kubernetes.io/os': 'linux' } }),
      ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead', 'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer']],
    ['variables and ports set twice', pod, named('a', one({ env: [{ name: 'A', value: '1' }, { name: 'A', value: '2' }, { name: 'A', value: '$(A)3' }], ports: [{ containerPort: 80, protocol: 'TCP' }, { containerPort: 80, protocol: 'TCP' }] })),
      ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply', 'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]']],
    ['a name that is no label', pod, named('a.b', one({})), ["metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"]],
    ['a template', deployment, named('w.5', { template: { spec: { ...one({}), topologySpreadConstraints: [{ topologyKey: 'x' }] } } }), [
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
      'spec.template.spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
    ]],
    ['an external name without its type', service, named('s', { externalName: 'x.example' }), ['spec.externalName is ignored when spec.type is not "ExternalName"']],
    ['endpoints by name', { group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice' }, { metadata: { name: 'e' }, addressType: 'FQDN' }, ['spec.addressType: FQDN endpoints are deprecated']],
    ['a kind without warnings', { group: '', version: 'v1', kind: 'ConfigMap' }, named('a', {}), []],
  ])('speaks of %s', (_, gvk, object, want) => {
    expect(warningsOf(gvk, object)).toEqual(want)
  })

  it('speaks of a template again only when the spec changes', () => {
    const before = named('d', { replicas: 1, template: { spec: one({ env: [{ name: 'A' }, { name: 'A' }] }) } })
    expect(warningsOf(deployment, structuredClone(before), before)).toEqual([])
    expect(warningsOf(deployment, named('d', { ...(before as { spec: object }).spec, replicas: 2 }), before)).toHaveLength(1)
  })
})
