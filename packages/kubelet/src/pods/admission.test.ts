import type { Node, Pod } from '@berth/api/types/core/v1'
import { describe, expect, it } from 'vitest'
import { admit } from './admission.ts'
import { testPod } from './test-pods.ts'

const node: Node = { metadata: { name: 'n1', labels: { disk: 'hdd' } }, spec: {}, status: { allocatable: { cpu: '2', memory: '1Gi', pods: '2' } } }
const asks = (cpu: string): Partial<Pod['spec']> => ({ containers: [{ name: 'a', resources: { requests: { cpu } } }] })
const port = (hostPort: number): Partial<Pod['spec']> => ({ containers: [{ name: 'a', ports: [{ containerPort: 80, hostPort }] }] })

describe('admission', () => {
  it.each<[string, Pod, Pod[], Node, string | undefined]>([
    ['takes what fits', testPod(asks('2')), [], node, undefined],
    ['counts what is there', testPod(asks('1500m')), [testPod(asks('600m'))], node, "OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 600, capacity: 2000"],
    ['counts pods', testPod(), [testPod(), testPod()], node, "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2"],
    ['wants the selector to match', testPod({ nodeSelector: { disk: 'ssd' } }), [], node, "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"],
    ['wants its own name', testPod({ nodeName: 'n2' }), [], node, "NodeName: Predicate NodeName failed: node(s) didn't match the requested node name"],
    ['gives a host port once', testPod(port(80)), [testPod(port(80))], node, "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"],
    ['minds NoExecute taints', testPod(), [], { ...node, spec: { taints: [{ key: 'k', effect: 'NoExecute' }] } }, "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"],
    ['leaves NoSchedule to the scheduler', testPod(), [], { ...node, spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }, undefined],
    ['forbids unsafe sysctls', testPod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }), [], node, 'SysctlForbidden: forbidden sysctl: "kernel.msgmax" not allowlisted'],
    ['runs Linux', testPod({ os: { name: 'windows' } }), [], node, "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS"],
  ])('%s', (_, pod, active, on, expected) => {
    const refusal = admit({ pod, node: on, active, allowedUnsafeSysctls: [] })
    expect(refusal && `${refusal.reason}: ${refusal.message}`).toBe(expected)
  })
})
