import { ExtenderError } from './errors.ts'

// Extenders' answers, held against their Go types (k8s.io/kube-scheduler/extender/v1); what is wrong is said as Go's decoder says it.

export interface FilterResult {
  readonly nodeNames: readonly string[] | undefined
  /** The names of the whole nodes that were sent back. */
  readonly nodes: readonly string[] | undefined
  readonly failed: ReadonlyMap<string, string>
  readonly failedAndUnresolvable: ReadonlyMap<string, string>
  readonly error: string
}

export interface HostPriority {
  readonly host: string
  readonly score: number
}

export interface MetaVictims {
  readonly uids: readonly string[]
  readonly violations: number
}

type Fields = Readonly<Record<string, unknown>>

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
}

function wrong(value: unknown, at: string, type: string): ExtenderError {
  return new ExtenderError('malformed', `json: cannot unmarshal ${kindOf(value)} into Go ${at.includes('.') ? `struct field ${at}` : 'value'} of type ${type}`)
}

/** The object's fields by their names in lower case, as Go finds them. */
function fields(value: unknown, type: string): Fields {
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong(value, type, `v1.${type}`)
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key.toLowerCase(), field]))
}

function text(value: unknown, at: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw wrong(value, at, 'string')
  return value
}

function integer(value: unknown, at: string): number {
  if (value === undefined || value === null) return 0
  if (typeof value !== 'number') throw wrong(value, at, 'int64')
  if (!Number.isInteger(value)) throw new ExtenderError('malformed', `json: cannot unmarshal number ${value} into Go struct field ${at} of type int64`)
  return value
}

function list(value: unknown, at: string, type: string): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw wrong(value, at, type)
  return value
}

function reasons(value: unknown, at: string): ReadonlyMap<string, string> {
  if (value === undefined || value === null) return new Map()
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong(value, at, 'v1.FailedNodesMap')
  return new Map(Object.entries(value).map(([name, reason]) => [name, text(reason, at)]))
}

export function readFilterResult(value: unknown): FilterResult {
  const type = 'ExtenderFilterResult'
  const found = fields(value, type)
  const nodes = found['nodes'] === undefined || found['nodes'] === null ? undefined : list(fields(found['nodes'], 'NodeList')['items'], `${type}.Nodes`, '[]v1.Node') ?? []
  return {
    nodeNames: list(found['nodenames'], `${type}.NodeNames`, '[]string')?.map((name) => text(name, `${type}.NodeNames`)),
    nodes: nodes?.map((node) => text(fields(fields(node, 'Node')['metadata'] ?? null, 'ObjectMeta')['name'], `${type}.Nodes`)),
    failed: reasons(found['failednodes'], `${type}.FailedNodes`),
    failedAndUnresolvable: reasons(found['failedandunresolvablenodes'], `${type}.FailedAndUnresolvableNodes`),
    error: text(found['error'], `${type}.Error`),
  }
}

export function readPriorities(value: unknown): HostPriority[] {
  return (list(value, 'HostPriorityList', 'v1.HostPriorityList') ?? []).map((each) => {
    const found = fields(each, 'HostPriority')
    return { host: text(found['host'], 'HostPriority.Host'), score: integer(found['score'], 'HostPriority.Score') }
  })
}

export function readPreemptionResult(value: unknown): ReadonlyMap<string, MetaVictims> {
  const type = 'ExtenderPreemptionResult'
  const victims = fields(value, type)['nodenametometavictims'] ?? {}
  if (typeof victims !== 'object' || Array.isArray(victims)) throw wrong(victims, `${type}.NodeNameToMetaVictims`, 'map[string]*v1.MetaVictims')
  return new Map(Object.entries(victims).map(([node, each]) => {
    const found = fields(each, 'MetaVictims')
    return [node, {
      uids: (list(found['pods'], 'MetaVictims.Pods', '[]*v1.MetaPod') ?? []).map((pod) => text(fields(pod, 'MetaPod')['uid'], 'MetaPod.UID')),
      violations: integer(found['numpdbviolations'], 'MetaVictims.NumPDBViolations'),
    }]
  }))
}

export function readBindingResult(value: unknown): string {
  return text(fields(value, 'ExtenderBindingResult')['error'], 'ExtenderBindingResult.Error')
}
