// What is posted to a pod: a Binding, the scheduler's verdict.
import { conflict, StatusError } from '../errors.ts'
import type { ApiObject } from '../interfaces.ts'
import type { ActionContext, ActionSubresource } from '../registry/definition.ts'
import { asRecord, formatTime, stringAt } from '../registry/values.ts'

const success = (code: number): ApiObject => ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code } as unknown as ApiObject)

function refuseBinding(name: string, why: string): StatusError {
  return conflict({ group: '', resource: 'pods/binding' }, name, why)
}

/** Upstream answers a Binding's validation errors bare, as a 500 without a reason. */
function plainError(message: string): StatusError {
  return new StatusError(500, '', message)
}

function assign(pod: ApiObject, binding: ApiObject, node: string): void {
  const name = pod.metadata.name
  const uid = binding.metadata.uid
  if (uid && uid !== pod.metadata.uid) {
    throw refuseBinding(name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid ?? ''}`)
  }
  if (pod.metadata.deletionTimestamp !== undefined) throw refuseBinding(name, `pod ${name} is being deleted, cannot be assigned to a host`)
  const spec = asRecord(pod['spec']) ?? {}
  const assigned = stringAt(spec, 'nodeName')
  if (assigned !== '') throw refuseBinding(name, `pod ${name} is already assigned to node "${assigned}"`)
  const gates = spec['schedulingGates']
  if (Array.isArray(gates) && gates.length > 0) throw refuseBinding(name, `pod ${name} has non-empty .spec.schedulingGates`)
  spec['nodeName'] = node
  const annotations = binding.metadata.annotations
  if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations }
  const labels = binding.metadata.labels
  if (labels) pod.metadata.labels = { ...pod.metadata.labels, ...labels }
  setScheduled(pod)
}

function setScheduled(pod: ApiObject): void {
  const status = asRecord(pod['status']) ?? {}
  const conditions = Array.isArray(status['conditions']) ? status['conditions'] as Record<string, unknown>[] : []
  const rest = conditions.filter((c) => c['type'] !== 'PodScheduled')
  const before = conditions.find((c) => c['type'] === 'PodScheduled')
  const since = before?.['status'] === 'True' ? before['lastTransitionTime'] : formatTime(Date.now())
  status['conditions'] = [...rest, { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: since }]
  // Who has a node is nominated to none (ClearingNominatedNodeNameAfterBinding, on since 1.35).
  delete status['nominatedNodeName']
  pod['status'] = status
}

async function bind(binding: ApiObject, context: ActionContext): Promise<ApiObject> {
  const kind = stringAt(binding, 'target', 'kind')
  if (kind !== '' && kind !== 'Node') throw plainError(`target.kind: Unsupported value: "${kind}": supported values: "Node", "<empty>"`)
  const node = stringAt(binding, 'target', 'name')
  if (node === '') throw plainError('target.name: Required value')
  await context.update((pod) => assign(pod, binding, node))
  return success(201)
}

/** pods/binding, and the older /bindings. */
export const bindingSubresource: ActionSubresource = { type: 'action', kind: { group: '', version: 'v1', kind: 'Binding' }, act: bind }
