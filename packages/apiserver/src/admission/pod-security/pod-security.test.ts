import { expect, test } from 'vitest'
import { apps, core } from '@berth/api'
import type { Container, Pod, PodSpec } from '@berth/api/types/core/v1'
import { admission } from '../../test-support/attributes.ts'
import { MemoryStore } from '../../test-support/memory-store.ts'
import { evaluate, type Level } from './evaluate.ts'
import { podSecurity } from './pod-security.ts'

const safe: Container['securityContext'] = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
const container = (more: Partial<Container> = {}): Container => ({ name: 'c', image: 'i', ...more })
const of = (spec: Partial<PodSpec>): { metadata: { name: string }, spec: PodSpec } => ({ metadata: { name: 'p' }, spec: { containers: [container()], ...spec } })

test.each<[string, Level, Partial<PodSpec>, string | undefined]>([
  ['anything', 'privileged', { hostPID: true }, undefined],
  ['a plain pod', 'baseline', {}, undefined],
  ['host namespaces', 'baseline', { hostNetwork: true, hostPID: true }, 'host namespaces (hostNetwork=true, hostPID=true)'],
  ['capabilities and host ports', 'baseline', { containers: [container({ securityContext: { capabilities: { add: ['NET_ADMIN', 'CHOWN'] } }, ports: [{ containerPort: 1, hostPort: 1 }] })] },
    'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add), hostPort (container "c" uses hostPort 1)'],
  ['a host path', 'baseline', { volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "v")'],
  ['privileged containers', 'baseline', { containers: [container({ securityContext: { privileged: true } })], initContainers: [container({ name: 'i', securityContext: { privileged: true } })] }, 'privileged (containers "i", "c" must not set securityContext.privileged=true)'],
  ['unsafe sysctls', 'baseline', { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }, { name: 'net.ipv4.tcp_syncookies', value: '1' }] } }, 'forbidden sysctls (kernel.msgmax)'],
  ['seccomp off', 'baseline', { securityContext: { seccompProfile: { type: 'Unconfined' } } }, 'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'],
  ['a plain pod', 'restricted', {}, 'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'],
  ['a safe pod', 'restricted', { containers: [container({ securityContext: safe })] }, undefined],
  ['a safe pod with a host path', 'restricted', { containers: [container({ securityContext: safe })], volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'restricted volume types (volume "v" uses restricted volume type "hostPath")'],
  ['root', 'restricted', { containers: [container({ securityContext: { ...safe, runAsUser: 0, runAsNonRoot: false } })] }, 'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false), runAsUser=0 (container "c" must not set runAsUser=0)'],
])('%s at %s', (_name, level, spec, message) => {
  expect(evaluate(level, of(spec))).toBe(message)
})

async function namespaceWith(labels: Record<string, string>) {
  const store = new MemoryStore()
  await store.create(core.namespaces, { metadata: { name: 'a', labels }, spec: {} })
  const plugin = podSecurity(store)
  const write = async (attributes: ReturnType<typeof admission>): Promise<string[]> => {
    const warnings: string[] = []
    try {
      await plugin.validate?.({ ...attributes, warn: (w) => warnings.push(w) })
      return warnings
    } catch (error) {
      return [`refused: ${(error as Error).message}`]
    }
  }
  return { store, write }
}

const pod = (spec: Partial<PodSpec>): Pod => ({ metadata: { name: 'p', namespace: 'a' }, spec: { containers: [container()], ...spec } })

test('a namespace refuses what it enforces against and warns of the rest; workloads are only warned of', async () => {
  const { write } = await namespaceWith({ 'pod-security.kubernetes.io/enforce': 'baseline', 'pod-security.kubernetes.io/warn': 'restricted' })
  expect(await write(admission('CREATE', core.pods, pod({ hostPID: true })))).toEqual(['refused: pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)'])
  expect(await write(admission('CREATE', core.pods, pod({})))).toEqual([expect.stringMatching(/^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false/)])
  expect(await write(admission('CREATE', apps.deployments, { metadata: { name: 'd', namespace: 'a' }, spec: { template: { spec: { containers: [container()], hostPID: true } } } }))).toEqual([expect.stringContaining('host namespaces (hostPID=true)')])
  expect(await write(admission('UPDATE', core.pods, pod({ hostPID: true }), { oldObject: pod({ hostPID: true }) as never }))).toEqual([])
})

test('wrong labels of a namespace are refused; a stricter level warns of the pods there', async () => {
  const { store, write } = await namespaceWith({})
  const change = (labels: Record<string, string>): Promise<string[]> => write(admission('UPDATE', core.namespaces, { metadata: { name: 'a', labels } }, { oldObject: { metadata: { name: 'a' } }, namespace: 'a' }))
  expect(await change({ 'pod-security.kubernetes.io/enforce': 'nonsense' })).toEqual(['refused: Namespace "a" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "nonsense": must be one of privileged, baseline, restricted'])
  expect(await change({ 'pod-security.kubernetes.io/warn-version': '1.2' })).toEqual([expect.stringContaining('must be "latest" or "v1.x"')])
  await store.create(core.pods, pod({ hostPID: true }))
  expect(await change({ 'pod-security.kubernetes.io/enforce': 'baseline' })).toEqual(['existing pods in namespace "a" violate the new PodSecurity enforce level "baseline:latest"', 'p: host namespaces'])
})
