import { applyDefaults, decode, DecodeError, schemaOf, validateCreate, fieldErrorMessage } from '@berth/api'
import type { Pod, PodTemplateSpec, Service } from '@berth/api/types/core/v1'
import type { LabelSelector, ObjectMeta } from '@berth/api/types/meta/v1'
import { ExplainError } from '../errors.ts'
import type { WhatIfRequest } from './what-if.ts'

/** The workload kinds whose pods can be asked about: how many they make, and who their pods' owner is to the scheduler. */
const workloads: Readonly<Record<string, { count: 'replicas' | 'parallelism'; owner: string }>> = {
  'apps/v1/Deployment': { count: 'replicas', owner: 'ReplicaSet' },
  'apps/v1/ReplicaSet': { count: 'replicas', owner: 'ReplicaSet' },
  'apps/v1/StatefulSet': { count: 'replicas', owner: 'StatefulSet' },
  '/v1/ReplicationController': { count: 'replicas', owner: 'ReplicationController' },
  'batch/v1/Job': { count: 'parallelism', owner: 'Job' },
}

interface Workload { metadata: ObjectMeta; spec: { replicas?: number; parallelism?: number; selector?: LabelSelector; template: PodTemplateSpec } }

/** A document of a manifest, as parsed. */
interface Document { apiVersion?: unknown; kind?: unknown; items?: unknown }

/** What of the request a manifest gives. */
export type Arrivals = Required<Pick<WhatIfRequest, 'pods' | 'owners' | 'services'>>

export interface ManifestOptions {
  readonly namespace: string
  /** How many pods of each Pod or workload, whatever it says itself. */
  readonly replicas?: number
  /** The values of PriorityClasses by name; '' is the global default's. */
  readonly priorities?: ReadonlyMap<string, number>
}

/**
 * Turns the documents of a manifest (Pods, workloads with a pod template, Services, Lists of them) into pods as the
 * controllers would make them, with the API's defaults. Throws ExplainError that names the document and the field.
 */
export function readManifest(documents: readonly unknown[], options: ManifestOptions): Arrivals {
  const arrivals = { pods: [] as Pod[], owners: [] as Arrivals['owners'][number][], services: [] as Service[] }
  for (const [i, document] of documents.entries()) {
    if (document === null || document === undefined) continue
    readDocument(document as Document, `document ${i + 1}`, options, arrivals)
  }
  return arrivals
}

interface Collected { readonly pods: Pod[]; readonly owners: Arrivals['owners'][number][]; readonly services: Service[] }

function readDocument(document: Document, where: string, options: ManifestOptions, to: Collected): void {
  const { apiVersion, kind } = document
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') throw new ExplainError('Invalid', `${where}: apiVersion and kind must be set`)
  if (kind === 'List' && Array.isArray(document.items)) {
    for (const [i, item] of document.items.entries()) readDocument(item as Document, `${where}, items[${i}]`, options, to)
    return
  }
  const [version = '', group = ''] = apiVersion.split('/').toReversed()
  // Its value is in the priorities that the caller gives.
  if (kind === 'PriorityClass') return
  const workload = workloads[`${group}/${version}/${kind}`]
  const isServed = workload ?? (apiVersion === 'v1' && (kind === 'Pod' || kind === 'Service'))
  if (!isServed) throw new ExplainError('Invalid', `${where}: ${apiVersion} ${kind} makes no pods that are placed one by one; allowed: Pod, Service, Deployment, ReplicaSet, StatefulSet, ReplicationController, Job, List`)
  const object = readObject({ group, version, kind }, document, `${where} (${kind})`)
  if (kind === 'Service') to.services.push(inNamespace(object as Service, options.namespace))
  else if (workload) addWorkload(object as Workload, workload, options, to)
  else addPods(object as Pod, options.replicas ?? 1, options, to)
}

function readObject(gvk: { group: string; version: string; kind: string }, document: Document, where: string): object {
  const schema = schemaOf(gvk)
  if (!schema) throw new ExplainError('Invalid', `${where}: the kind is not known`)
  try {
    const { object } = decode(schema, document, 'strict')
    applyDefaults(gvk, object as object)
    return object as object
  } catch (error) {
    if (error instanceof DecodeError) throw new ExplainError('Invalid', `${where}: ${error.message}`, { cause: error })
    throw error
  }
}

function inNamespace<T extends { metadata: ObjectMeta }>(object: T, namespace: string): T {
  return { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace } }
}

function addWorkload(object: Workload, { count, owner }: (typeof workloads)[string], options: ManifestOptions, to: Collected): void {
  const { metadata, spec } = inNamespace(object, options.namespace)
  const { namespace = '', name } = metadata
  const pod: Pod = {
    metadata: { ...spec.template.metadata, name, namespace, ownerReferences: [{ apiVersion: owner === 'ReplicationController' ? 'v1' : owner === 'Job' ? 'batch/v1' : 'apps/v1', kind: owner, name, uid: 'what-if', controller: true }] },
    spec: spec.template.spec ?? { containers: [] },
  }
  const labels = spec.template.metadata?.labels ?? {}
  to.owners.push({ kind: owner, key: `${namespace}/${name}`, selector: spec.selector?.matchLabels || spec.selector?.matchExpressions ? spec.selector : { matchLabels: labels } })
  addPods(pod, options.replicas ?? spec[count] ?? 1, options, to)
}

function addPods(pod: Pod, count: number, options: ManifestOptions, to: Collected): void {
  const whole = withPriority(inNamespace(pod, options.namespace), options.priorities)
  applyDefaults({ group: '', version: 'v1', kind: 'Pod' }, whole)
  const [error] = validateCreate({ group: '', version: 'v1', kind: 'Pod' }, whole)
  if (error) throw new ExplainError('Invalid', `pod ${whole.metadata.name}: ${fieldErrorMessage(error)}`)
  const { name } = whole.metadata
  if (count === 1 && !whole.metadata.ownerReferences) to.pods.push(whole)
  else for (let i = 1; i <= count; i++) to.pods.push({ ...whole, metadata: { ...whole.metadata, name: `${name}-${i}` } })
}

/** As admission fills it in. */
function withPriority(pod: Pod, priorities: ReadonlyMap<string, number> | undefined): Pod {
  if (pod.spec.priority !== undefined) return pod
  const name = pod.spec.priorityClassName ?? ''
  const value = priorities?.get(name)
  if (value === undefined && name !== '') throw new ExplainError('Invalid', `pod ${pod.metadata.name}: spec.priorityClassName: no PriorityClass with name ${name} was found`)
  return { ...pod, spec: { ...pod.spec, priority: value ?? 0 } }
}
