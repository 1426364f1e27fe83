import { createHash } from 'node:crypto'
import { applyDefaults, decode, fieldErrorMessage, schemaOf, validateCreate } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { readConfigFile } from '@berth/kube'
import { annotation } from './annotations.ts'

const gvk = { group: '', version: 'v1', kind: 'Pod' }

/** Reads a static pod's manifest (YAML or JSON) as strictly as the API server would, and makes it this node's. Throws with the fields that are wrong. */
export async function readManifest(path: string, nodeName: string, now: string): Promise<Pod> {
  const value = await readConfigFile<object>(path, gvk, { type: 'raw' })
  const schema = schemaOf(gvk)
  if (!schema) throw new Error('no schema of Pod')
  const pod = decode(schema, value, 'strict').object as unknown as Pod
  pod.metadata ??= { name: '' }
  if (!pod.metadata.name) throw new Error('metadata.name: Required value')
  pod.metadata.namespace ||= 'default'
  // Two nodes with the same manifest are two pods, and one node with a changed one has another pod.
  const uid = createHash('sha256').update(nodeName).update(path).update(JSON.stringify(value)).digest('hex').slice(0, 32)
  pod.metadata.uid ||= uid
  pod.metadata.name = `${pod.metadata.name}-${nodeName}`
  pod.metadata.annotations = { ...pod.metadata.annotations, [annotation.hash]: uid, [annotation.source]: 'file', [annotation.seen]: now }
  applyDefaults(gvk, pod)
  pod.spec.nodeName = nodeName
  pod.spec.tolerations = [...(pod.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }]
  const problems = [...validateCreate(gvk, pod).map(fieldErrorMessage), ...forbidden(pod)]
  if (problems.length > 0) throw new Error(problems.join(', '))
  return pod
}

/** A static pod has no API objects: what would need one cannot be. */
function forbidden(pod: Pod): string[] {
  const problems: string[] = []
  if (pod.spec.serviceAccountName) problems.push('spec.serviceAccountName: a static pod must not refer to a service account')
  for (const v of pod.spec.volumes ?? []) {
    if (v.configMap ?? v.secret ?? v.persistentVolumeClaim) problems.push(`spec.volumes[${v.name}]: a static pod must not refer to API objects`)
  }
  return problems
}
