import type { ConfigMap, Container, EnvVar, Pod, Secret } from '@berth/api/types/core/v1'
import { type DownwardFacts, fieldValue, resourceValue } from './downward.ts'
import { expand } from './expansion.ts'

/** What a container's environment is made from. `undefined` for an object means that it does not exist. */
export interface EnvSources {
  configMap(name: string): Promise<ConfigMap | undefined>
  secret(name: string): Promise<Secret | undefined>
  serviceVariables: Record<string, string>
  downward: DownwardFacts
}

const envName = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/

const decodeBase64 = (text: string): string => Buffer.from(text, 'base64').toString('utf8')

/**
 * The environment of a container: Service variables, then envFrom in order, then env in order; later wins, and `$(NAME)` sees what came
 * before it. Throws what becomes CreateContainerConfigError, in upstream's words.
 */
export async function containerEnv(pod: Pod, c: Container, sources: EnvSources): Promise<Record<string, string>> {
  const fromSources: Record<string, string> = {}
  const namespace = pod.metadata.namespace ?? ''
  for (const from of c.envFrom ?? []) {
    const prefix = from.prefix ?? ''
    if (from.configMapRef) {
      const { name, optional } = from.configMapRef
      const object = await sources.configMap(name ?? '')
      if (!object && !optional) throw new Error(`configmap "${name}" not found`)
      for (const [k, v] of Object.entries(object?.data ?? {})) if (envName.test(prefix + k)) fromSources[prefix + k] = v
    } else if (from.secretRef) {
      const { name, optional } = from.secretRef
      const object = await sources.secret(name ?? '')
      if (!object && !optional) throw new Error(`secret "${name}" not found`)
      for (const [k, v] of Object.entries(object?.data ?? {})) if (envName.test(prefix + k)) fromSources[prefix + k] = decodeBase64(v)
    }
  }
  const result: Record<string, string> = { ...fromSources }
  for (const variable of c.env ?? []) {
    const value = await valueOf(pod, c, variable, sources, namespace, (name) => result[name] ?? sources.serviceVariables[name])
    if (value !== undefined) result[variable.name] = value
  }
  return { ...sources.serviceVariables, ...result }
}

async function valueOf(
  pod: Pod, c: Container, variable: EnvVar, sources: EnvSources, namespace: string, lookup: (name: string) => string | undefined,
): Promise<string | undefined> {
  const from = variable.valueFrom
  if (!from) return expand(variable.value ?? '', lookup)
  if (from.fieldRef) return fieldValue(pod, from.fieldRef.fieldPath, sources.downward)
  if (from.resourceFieldRef) return resourceValue(pod, from.resourceFieldRef, c.name, sources.downward)
  if (from.configMapKeyRef) {
    const { name, key, optional } = from.configMapKeyRef
    const object = await sources.configMap(name ?? '')
    if (!object) {
      if (optional) return undefined
      throw new Error(`configmap "${name}" not found`)
    }
    const value = object.data?.[key]
    if (value === undefined && !optional) throw new Error(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`)
    return value
  }
  if (from.secretKeyRef) {
    const { name, key, optional } = from.secretKeyRef
    const object = await sources.secret(name ?? '')
    if (!object) {
      if (optional) return undefined
      throw new Error(`secret "${name}" not found`)
    }
    const value = object.data?.[key]
    if (value === undefined) {
      if (optional) return undefined
      throw new Error(`couldn't find key ${key} in Secret ${namespace}/${name}`)
    }
    return decodeBase64(value)
  }
  if (from.fileKeyRef) throw new Error(`environment variable "${variable.name}" uses fileKeyRef, which this kubelet does not serve`)
  throw new Error(`environment variable "${variable.name}" has a valueFrom without a source`)
}
