import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret } from '@berth/api/types/core/v1'
import { type DownwardFacts, fieldValue, resourceValue } from '../pods/downward.ts'
import type { Payload } from './atomic-writer.ts'

interface Choice { items: readonly KeyToPath[] | undefined; defaultMode: number; optional: boolean }

function choose(values: ReadonlyMap<string, Buffer>, choice: Choice, what: string): Payload {
  const payload: Payload = new Map()
  if (!choice.items || choice.items.length === 0) {
    for (const [key, data] of values) payload.set(key, { data, mode: choice.defaultMode })
    return payload
  }
  for (const item of choice.items) {
    const data = values.get(item.key)
    if (!data) {
      if (choice.optional) continue
      throw new Error(`${what} references non-existent ${what === 'configmap' ? 'config' : 'secret'} key: ${item.key}`)
    }
    payload.set(item.path.replace(/\/+$/, ''), { data, mode: item.mode ?? choice.defaultMode })
  }
  return payload
}

/** The files of a ConfigMap: data and binaryData, all keys or the chosen ones. */
export function configMapPayload(object: ConfigMap | undefined, name: string, choice: Choice): Payload {
  if (!object && !choice.optional) throw new Error(`configmap "${name}" not found`)
  const values = new Map<string, Buffer>()
  for (const [k, v] of Object.entries(object?.data ?? {})) values.set(k, Buffer.from(v, 'utf8'))
  for (const [k, v] of Object.entries(object?.binaryData ?? {})) values.set(k, Buffer.from(v, 'base64'))
  return choose(values, choice, 'configmap')
}

/** The files of a Secret. */
export function secretPayload(object: Secret | undefined, name: string, choice: Choice): Payload {
  if (!object && !choice.optional) throw new Error(`secret "${name}" not found`)
  return choose(new Map(Object.entries(object?.data ?? {}).map(([k, v]) => [k, Buffer.from(v, 'base64')])), choice, 'secret')
}

/** The files of the downward API. */
export function downwardPayload(pod: Pod, items: readonly DownwardAPIVolumeFile[], defaultMode: number, facts: DownwardFacts): Payload {
  const payload: Payload = new Map()
  for (const item of items) {
    const text = item.fieldRef
      ? fieldValue(pod, item.fieldRef.fieldPath, facts)
      : item.resourceFieldRef
        ? resourceValue(pod, item.resourceFieldRef, item.resourceFieldRef.containerName ?? '', facts)
        : undefined
    if (text === undefined) throw new Error(`downwardAPI file ${item.path} has neither fieldRef nor resourceFieldRef`)
    payload.set(item.path, { data: Buffer.from(text, 'utf8'), mode: item.mode ?? defaultMode })
  }
  return payload
}
