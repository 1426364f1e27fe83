import { isDeepStrictEqual } from 'node:util'
import { core } from '@berth/api'
import type { Namespace, Pod, PodTemplateSpec } from '@berth/api/types/core/v1'
import { invalid } from '../../errors.ts'
import type { AdmissionAttributes, AdmissionPlugin, ResourceStore } from '../../interfaces.ts'
import { podOf, refuse } from '../pods.ts'
import type { Checked } from './check.ts'
import { evaluate, labelProblems, policiesOf, type Policy } from './evaluate.ts'

/** Workloads whose pods are made of `spec.template`. */
const templated = new Set(['apps/deployments', 'apps/replicasets', 'apps/statefulsets', 'apps/daemonsets', 'batch/jobs', '/replicationcontrollers'])

/** Holds pods to the Pod Security Standards that their namespace's labels ask for; who makes a workload is warned. */
export function podSecurity(store: ResourceStore): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    validate(attributes) {
      if (attributes.resource.group === '' && attributes.resource.resource === 'namespaces') {
        if (attributes.subresource === '') checkNamespace(attributes, store)
        return
      }
      const policies = policiesOf(store.get(core.namespaces, attributes.namespace)?.metadata.labels)
      if (policies.enforce.level === 'privileged' && policies.warn.level === 'privileged') return
      const pod = podOf(attributes)
      if (pod) checkPod(attributes, pod, policies)
      else if (attributes.subresource === '' && templated.has(`${attributes.resource.group}/${attributes.resource.resource}`)) {
        const template = (attributes.object as { spec?: { template?: PodTemplateSpec } } | undefined)?.spec?.template
        if (template?.spec) warnOf(attributes, { metadata: template.metadata ?? { name: '' }, spec: template.spec }, policies.warn)
      }
    },
  }
}

function checkPod(attributes: AdmissionAttributes, pod: Pod, { enforce, warn }: { enforce: Policy, warn: Policy }): void {
  if (!pod.spec) return
  const old = attributes.oldObject as unknown as Pod | undefined
  if (old && isDeepStrictEqual(old.spec, pod.spec) && isDeepStrictEqual(old.metadata.annotations ?? {}, pod.metadata.annotations ?? {})) return
  const checked = { metadata: pod.metadata, spec: pod.spec }
  const forbidden = evaluate(enforce.level, checked)
  if (forbidden !== undefined) throw refuse(attributes, `violates PodSecurity ${describe(enforce)}: ${forbidden}`)
  if (warn.level !== enforce.level || warn.version !== enforce.version) warnOf(attributes, checked, warn)
}

function warnOf(attributes: AdmissionAttributes, checked: Checked, policy: Policy): void {
  const forbidden = evaluate(policy.level, checked)
  if (forbidden !== undefined) attributes.warn(`would violate PodSecurity ${describe(policy)}: ${forbidden}`)
}

/** Wrong labels are refused; a stricter level that pods there violate is warned of. */
function checkNamespace(attributes: AdmissionAttributes, store: ResourceStore): void {
  const namespace = attributes.object as unknown as Namespace
  const old = attributes.oldObject as unknown as Namespace | undefined
  const problems = labelProblems(namespace.metadata.labels)
  const known = labelProblems(old?.metadata.labels)
  if (problems.length > 0 && !isDeepStrictEqual(problems, known)) {
    throw invalid({ group: '', kind: 'Namespace' }, namespace.metadata.name, problems.map((p) => ({ type: 'Invalid', field: `metadata.labels[${p.label}]`, badValue: p.value, detail: p.detail })))
  }
  const [now, before] = [policiesOf(namespace.metadata.labels).enforce, policiesOf(old?.metadata.labels).enforce]
  if (!old || now.level === 'privileged' || (now.level === before.level && now.version === before.version) || (now.level === 'baseline' && before.level === 'restricted')) return
  const violating = new Map<string, string[]>()
  for (const pod of store.list(core.pods, namespace.metadata.name)) {
    const forbidden = pod.spec && evaluate(now.level, { metadata: pod.metadata, spec: pod.spec })
    if (!forbidden) continue
    const reasons = forbidden.replace(/ \((?:[^()"]|"[^"]*")*\)/g, '')
    violating.set(reasons, [...(violating.get(reasons) ?? []), pod.metadata.name])
  }
  if (violating.size === 0) return
  attributes.warn(`existing pods in namespace ${JSON.stringify(namespace.metadata.name)} violate the new PodSecurity enforce level ${describe(now)}`)
  for (const [reasons, pods] of violating) {
    const more = pods.length - 1
    attributes.warn(`${pods[0] ?? ''}${more === 0 ? '' : ` (and ${more} other pod${more === 1 ? '' : 's'})`}: ${reasons}`)
  }
}

function describe(policy: Policy): string {
  return JSON.stringify(`${policy.level}:${policy.version}`)
}
