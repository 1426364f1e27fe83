import type { Pod } from '@berth/api/types/core/v1'
import { allContainers } from '../pods/containers.ts'

/** The keys (`namespace/name`) of the ConfigMaps and Secrets that a pod refers to. */
export function podReferences(pod: Pod): { configMaps: string[]; secrets: string[] } {
  const configMaps = new Set<string>()
  const secrets = new Set<string>()
  const namespace = pod.metadata.namespace ?? ''
  const add = (set: Set<string>, name: string | undefined): void => void (name ? set.add(`${namespace}/${name}`) : undefined)
  for (const { spec } of allContainers(pod)) {
    for (const from of spec.envFrom ?? []) {
      add(configMaps, from.configMapRef?.name)
      add(secrets, from.secretRef?.name)
    }
    for (const e of spec.env ?? []) {
      add(configMaps, e.valueFrom?.configMapKeyRef?.name)
      add(secrets, e.valueFrom?.secretKeyRef?.name)
    }
  }
  for (const v of pod.spec.volumes ?? []) {
    add(configMaps, v.configMap?.name)
    add(secrets, v.secret?.secretName)
    for (const source of v.projected?.sources ?? []) {
      add(configMaps, source.configMap?.name)
      add(secrets, source.secret?.name)
    }
  }
  for (const s of pod.spec.imagePullSecrets ?? []) add(secrets, s.name)
  return { configMaps: [...configMaps], secrets: [...secrets] }
}
