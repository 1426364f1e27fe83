import { flowcontrol, type ResourceInfo } from '@berth/api'
import type { FlowSchema, FlowSchemaCondition } from '@berth/api/types/flowcontrol/v1'
import { createClient, isNotFound, type Transport } from '@berth/kube'
import type { BootstrapHook, ResourceStore, ServerLog } from '../interfaces.ts'
import { equalValues, formatTime } from '../registry/values.ts'
import { autoUpdateAnnotation, flowSchemas, priorityLevels } from './flow-control-config.ts'
import { ignoreExisting } from './namespaces-hook.ts'
import { repeat } from './repeat.ts'

const producer = 'api-priority-and-fairness-config-producer-v1'
const consumer = 'api-priority-and-fairness-config-consumer-v1'
const everyMs = 60_000

/** Makes the flow schemas and priority levels that every cluster has, and keeps those that are marked for it as they should be. */
export function flowControlObjectsHook(store: ResourceStore, log: ServerLog): BootstrapHook {
  const keep = async <T extends { metadata: { name: string; annotations?: Record<string, string> }; spec?: object }>(resource: ResourceInfo<T>, wanted: T): Promise<void> => {
    const known = store.get(resource, wanted.metadata.name)
    if (known === undefined) return ignoreExisting(store.create(resource, wanted, { fieldManager: producer }))
    if (known.metadata.annotations?.[autoUpdateAnnotation] !== 'true' || equalValues(known.spec, wanted.spec)) return
    await store.update(resource, { ...known, spec: wanted.spec }, { fieldManager: producer })
  }
  return {
    name: 'priority-and-fairness-config-producer',
    run: (signal) => repeat(async () => {
      await Promise.all([...priorityLevels.map((each) => keep(flowcontrol.prioritylevelconfigurations, each)), ...flowSchemas.map((each) => keep(flowcontrol.flowschemas, each))])
    }, everyMs, signal, log, 'keep the flow schemas and priority levels'),
  }
}

/** Whether a flow schema's priority level is missing, as its condition says it; undefined where it says so already. */
export function danglingCondition(schema: FlowSchema, exists: boolean, now: number): FlowSchemaCondition | undefined {
  const level = schema.spec?.priorityLevelConfiguration.name ?? ''
  const begins = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
  const wanted = exists ? { status: 'False', reason: 'Found', message: `${begins} and it exists` } : { status: 'True', reason: 'NotFound', message: `${begins} but there is no such object` }
  const known = schema.status?.conditions?.find(({ type }) => type === 'Dangling')
  if (known?.status === wanted.status && known.reason === wanted.reason && known.message === wanted.message) return undefined
  return { type: 'Dangling', ...wanted, lastTransitionTime: formatTime(now) }
}

/** Says in each flow schema's condition Dangling whether its priority level exists, by server-side apply as upstream does. `loopback` is asked for once the server answers. */
export function flowSchemaStatusHook(store: ResourceStore, loopback: () => Transport, log: ServerLog): BootstrapHook {
  return {
    name: 'priority-and-fairness-config-consumer',
    async run(signal) {
      const client = createClient(loopback(), { fieldManager: consumer })
      const writing = new Set<string>()
      const again = new Set<string>()
      const say = async (name: string): Promise<void> => {
        const schema = store.get(flowcontrol.flowschemas, name)
        const condition = schema && danglingCondition(schema, store.get(flowcontrol.prioritylevelconfigurations, schema.spec?.priorityLevelConfiguration.name ?? '') !== undefined, Date.now())
        if (condition === undefined || signal.aborted) return
        const body = { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema', metadata: { name }, status: { conditions: [condition] } }
        await client.patch(flowcontrol.flowschemas, name, { type: 'apply', body }, { subresource: 'status', force: true })
      }
      // One write at a time for each; what changes meanwhile is looked at after it.
      const look = (name: string): void => {
        if (writing.has(name)) {
          again.add(name)
          return
        }
        writing.add(name)
        say(name).catch((error: unknown) => { if (!signal.aborted && !isNotFound(error)) log.error(error, 'Unable to say whether a flow schema dangles', { flowSchema: name }) }).finally(() => {
          writing.delete(name)
          if (again.delete(name)) look(name)
        })
      }
      const off = [
        store.onChange(flowcontrol.flowschemas, (type, schema) => { if (type !== 'DELETED') look(schema.metadata.name) }),
        store.onChange(flowcontrol.prioritylevelconfigurations, (type, { metadata: { name } }) => {
          if (type === 'MODIFIED') return
          for (const schema of store.list(flowcontrol.flowschemas)) if (schema.spec?.priorityLevelConfiguration.name === name) look(schema.metadata.name)
        }),
      ]
      signal.addEventListener('abort', () => { for (const each of off) each() }, { once: true })
      await repeat(async () => { for (const { metadata: { name } } of store.list(flowcontrol.flowschemas)) look(name) }, everyMs, signal, log, 'say which flow schemas dangle')
    },
  }
}
