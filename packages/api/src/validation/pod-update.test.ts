import { describe, expect, it } from 'vitest'
import type { Pod } from '../types/core/v1.ts'
import { podWith, stored, updateProblems } from './test-support/objects.ts'

const onlyThese = '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

const pod = (spec: object = {}, more: object = {}): Pod => ({ ...podWith(spec, stored), ...more })
const update = (spec: object, oldSpec: object = {}, subresource = '') => updateProblems('v1/Pod', pod(spec), pod(oldSpec), subresource)
const image = (text: string) => ({ containers: [{ name: 'c', image: text }] })

describe('a pod\'s update', () => {
  it.each<[string, object, object]>([
    ['an image', image('other'), image('i')],
    ['a deadline that gets shorter', { activeDeadlineSeconds: 5 }, { activeDeadlineSeconds: 6 }],
    ['a toleration more', { tolerations: [{ key: 'a', operator: 'Exists' }] }, {}],
    ['a gate less', { schedulingGates: [{ name: 'a' }] }, { schedulingGates: [{ name: 'a' }, { name: 'b' }] }],
    ['a gated pod\'s node selector', { schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'b', c: 'd' } }, { schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'b' } }],
  ])('takes %s', (_, spec, old) => {
    expect(update(spec, old)).toEqual([])
  })

  it.each<[string, object, object, string[]]>([
    ['a container more', { containers: [{ name: 'c', image: 'i' }, { name: 'd', image: 'i' }] }, {}, ['spec.containers: Forbidden: pod updates may not add or remove containers']],
    ['a deadline that gets longer', { activeDeadlineSeconds: 7 }, { activeDeadlineSeconds: 6 }, ['spec.activeDeadlineSeconds: Invalid value: 7: must be less than or equal to previous value']],
    ['no deadline any more', {}, { activeDeadlineSeconds: 6 }, ['spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value']],
    ['a toleration less', {}, { tolerations: [{ key: 'a', operator: 'Exists' }] }, ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds']],
    ['a gate more', { schedulingGates: [{ name: 'a' }] }, {}, ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'"]],
    ['a gated pod\'s other node', { schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'c' } }, { schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'b' } },
      ['spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)']],
  ])('refuses %s', (_, spec, old, expected) => {
    expect(update(spec, old)).toEqual(expected)
  })

  it('shows what else it would change, as the server holds it', () => {
    expect(update({ nodeName: 'n1' })).toEqual([`spec: Forbidden: pod updates may not change fields other than ${onlyThese}\n${[
      '@@ -42,7 +42,7 @@', '  "NodeSelector": null,', '  "ServiceAccountName": "",', '  "AutomountServiceAccountToken": null,', '- "NodeName": "",', '+ "NodeName": "n1",', '  "SecurityContext": {', '   "HostNetwork": false,',
      '   "HostPID": false,', '',
    ].join('\n')}`])
  })

  it('takes no change of what the server set', () => {
    expect(updateProblems('v1/Pod', { ...pod(), metadata: { ...stored, uid: 'v' } }, pod())).toEqual(['metadata.uid: Invalid value: "v": field is immutable'])
  })
})

describe('ephemeral containers', () => {
  const debug = { name: 'dbg', image: 'd', imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }

  it('may be added', () => {
    expect(update({ ephemeralContainers: [debug] }, {}, 'ephemeralcontainers')).toEqual([])
  })

  it('may not be changed or taken away', () => {
    expect(update({ ephemeralContainers: [{ ...debug, image: 'e' }] }, { ephemeralContainers: [debug] }, 'ephemeralcontainers')).toEqual([
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "dbg" may not be changed\n@@ -1,6 +1,6 @@\n {\n  "Name": "dbg",\n- "Image": "d",\n+ "Image": "e",\n  "Command": null,\n  "Args": null,\n  "WorkingDir": "",\n'])
    expect(update({}, { ephemeralContainers: [debug] }, 'ephemeralcontainers')).toEqual(['spec.ephemeralContainers: Forbidden: existing ephemeral containers "dbg" may not be removed\n'])
  })

  it('have no ports, probes or resources, and look at containers that are there', () => {
    expect(update({ ephemeralContainers: [{ ...debug, ports: [{ containerPort: 1 }], resources: { limits: { cpu: '1' } }, targetContainerName: 'z' }] }, {}, 'ephemeralcontainers')).toEqual([
      'spec.ephemeralContainers[0].targetContainerName: Not found: "z"',
      'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container',
    ])
  })
})

describe('a resize', () => {
  const sized = (requests: object, limits: object = { memory: '2Gi' }) => ({ containers: [{ name: 'c', image: 'i', resources: { requests, limits } }] })

  it('changes cpu and memory', () => {
    expect(update(sized({ cpu: '2', memory: '1Gi' }), sized({ cpu: '1', memory: '1Gi' }), 'resize')).toEqual([])
  })

  it('changes those of the pod as a whole, and takes none away', () => {
    expect(update({ resources: { requests: { cpu: '3' } } }, { resources: { requests: { cpu: '2' } } }, 'resize')).toEqual([])
    expect(update({ resources: { requests: { memory: '1Gi' } } }, { resources: { requests: { cpu: '2', memory: '1Gi' } } }, 'resize')).toEqual(['spec.resources.requests: Forbidden: resource requests cannot be removed'])
  })

  it('changes nothing else, and not the class of service', () => {
    expect(update(sized({ cpu: '1' }), {}, 'resize')).toEqual(['spec: Invalid value: "": Pod QOS Class may not change as a result of resizing'])
    expect(update({ ...sized({ cpu: '1' }), ...image('other') }, sized({ cpu: '1' }), 'resize')).toContain('spec: Forbidden: only cpu and memory resources are mutable')
    expect(update(sized({ memory: '1Gi' }), sized({ cpu: '1', memory: '1Gi' }), 'resize')).toEqual(['spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed'])
  })
})

describe('a pod\'s status', () => {
  const running = { name: 'c', state: { running: {} } }
  const ended = { name: 'c', state: { terminated: { exitCode: 0 } } }
  const status = (now: object, before: object, spec: object = {}) => updateProblems('v1/Pod', pod(spec, { status: now }), pod(spec, { status: before }), 'status')

  it('does not bring a container back that has ended for good', () => {
    expect(status({ containerStatuses: [running] }, { containerStatuses: [ended] }, { restartPolicy: 'Never' })).toEqual(['status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state'])
    expect(status({ containerStatuses: [running] }, { containerStatuses: [ended] }, { restartPolicy: 'Always' })).toEqual([])
  })

  it.each<[string, object, number, boolean]>([
    ['of a pod that restarts on failure, after a failure', {}, 1, true],
    ['of a pod that restarts on failure, after success', {}, 0, false],
    ['that never restarts by itself', { restartPolicy: 'Never' }, 1, false],
    ['that never restarts but after this exit code', { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] }, 42, true],
    ['that never restarts but after other exit codes', { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'NotIn', values: [42] } }] }, 42, false],
    ['of a pod whose containers restart together', { restartPolicy: 'Never', restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [3] } }] }, 0, true],
  ])('starts or does not start a container %s', (_, container, exitCode, starts) => {
    const before = { name: 'c', state: { terminated: { exitCode } } }
    const spec = { restartPolicy: 'OnFailure', containers: [{ name: 'c', image: 'i', ...container }] }
    expect(status({ containerStatuses: [running] }, { containerStatuses: [before] }, spec)).toHaveLength(starts ? 0 : 1)
  })

  it('keeps an address that was stored before, as it is', () => {
    expect(status({ podIP: '010.1.1.1', podIPs: [{ ip: '010.1.1.1' }] }, { podIP: '010.1.1.1', podIPs: [{ ip: '010.1.1.1' }] })).toEqual([])
    expect(status({ podIP: '010.1.1.1', podIPs: [{ ip: '010.1.1.1' }] }, {})).toHaveLength(1)
  })

  it('nominates no node for a pod that has one, and observes no negative generation', () => {
    expect(status({ nominatedNodeName: 'b', observedGeneration: -1, conditions: [{ type: 'Ready', status: 'True', observedGeneration: -2 }] }, {}, { nodeName: 'a' })).toEqual([
      'status.conditions[0].observedGeneration: Invalid value: -2: must be a non-negative integer',
      'status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node',
      'status.observedGeneration: Invalid value: -1: must be a non-negative integer',
    ])
  })

  it('maps extended resources that are asked for to requests of a claim', () => {
    const spec = { containers: [{ name: 'c', image: 'i', resources: { requests: { 'a.com/gpu': '1' }, limits: { 'a.com/gpu': '1' } } }] }
    const mapping = { containerName: 'c', resourceName: 'a.com/gpu', requestName: 'r' }
    expect(status({ extendedResourceClaimStatus: { resourceClaimName: 'claim', requestMappings: [mapping] } }, {}, spec)).toEqual([])
    expect(status({ extendedResourceClaimStatus: { resourceClaimName: '', requestMappings: [{ ...mapping, containerName: 'd' }, { ...mapping, resourceName: 'a.com/b' }] } }, {}, spec)).toEqual([
      'status.extendedResourceClaimStatus.requestMappings[0].containerName: Invalid value: "d": must match the name of an entry in spec.initContainers.name or spec.containers.name',
      'status.extendedResourceClaimStatus.requestMappings[1].resourceName: Invalid value: "a.com/b": must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests',
      'status.extendedResourceClaimStatus.resourceClaimName: Required value',
    ])
  })

  it('has addresses that are addresses, one a family', () => {
    expect(status({ podIP: '10.1.1.1', podIPs: [{ ip: '10.1.1.1' }, { ip: '10.1.1.2' }], hostIP: '1.1.1.1', hostIPs: [{ ip: '1.1.1.2' }] }, {})).toEqual([
      'status.podIPs: Invalid value: [{"IP":"10.1.1.1"},{"IP":"10.1.1.2"}]: may specify no more than one IP for each IP family',
      'status.hostIPs[0].ip: Invalid value: "1.1.1.2": must be equal to `hostIP`',
    ])
  })

  it('keeps its class of service', () => {
    expect(status({ qosClass: 'Guaranteed' }, { qosClass: 'Burstable' })).toEqual(['status.qosClass: Invalid value: "Guaranteed": field is immutable'])
  })
})
