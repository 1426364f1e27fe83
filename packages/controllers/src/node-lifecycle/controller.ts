import { coordination, core } from '@berth/api'
import type { Lease } from '@berth/api/types/coordination/v1'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { isConflict, isNotFound, type EventRecorder, type Informer } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { periodically } from '../common/keyed-controller.ts'
import { podCondition, wireTime } from '../common/pods.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { observe, readyOf, silentConditions, type NodeHealth } from './health.ts'
import { noExecuteKey, notReadyTaint, unreachableTaint, wantedTaints } from './taints.ts'
import { evictionsPerSecond, zoneOf, zoneState } from './zones.ts'

/** Notices nodes whose kubelet has fallen silent, says so in their conditions and taints, and marks their pods not ready. */
export const nodeLifecycleController: Controller = {
  name: 'node-lifecycle-controller',
  async run(context) {
    const nodes = context.informers.for(core.nodes)
    const leases = context.informers.for(coordination.leases, { namespace: 'kube-node-lease' })
    const pods = context.informers.for(core.pods, { indexers: { node: (pod) => [pod.spec.nodeName ?? ''] } })
    const scope: Scope = { context, nodes, leases, pods, recorder: context.recorder('node-controller'), health: new Map(), budgets: new Map(), notReady: new Set() }
    try {
      await Promise.all([nodes, leases, pods].map((informer) => informer.whenSynced(context.signal)))
    } catch (error) {
      if (context.signal.aborted) return
      throw error
    }
    const rounds = nodeRounds(scope)
    const off = nodes.on({
      added(node) {
        recordNode(scope.recorder, node, 'RegisteredNode', `Node ${node.metadata.name} event: Registered Node ${node.metadata.name} in Controller`)
        rounds.soon()
      },
      // A cordon or a node that turns ready should not wait for the next round.
      updated: (old, now) => {
        if (roundFacts(old) !== roundFacts(now)) rounds.soon()
      },
      deleted: (node) => recordNode(scope.recorder, node, 'RemovingNode', `Node ${node.metadata.name} event: Removing Node ${node.metadata.name} from Controller`),
    })
    await periodically(context, 'node health', context.settings.nodeMonitorPeriod, rounds.run)
    off()
  },
}

interface Scope {
  context: ControllerContext
  nodes: Informer<Node>
  leases: Informer<Lease>
  pods: Informer<Pod>
  recorder: EventRecorder
  health: Map<string, NodeHealth>
  /** Evictions that each zone may still start, and as of when. */
  budgets: Map<string, { left: number; perSecond: number; at: number }>
  /** Nodes whose pods have been marked not ready since they went silent. */
  notReady: Set<string>
}

/** What of a node a round decides upon; heartbeats are not of it. */
function roundFacts(node: Node): string {
  return JSON.stringify([node.spec?.unschedulable, node.spec?.taints, (node.status?.conditions ?? []).map((condition) => [condition.type, condition.status])])
}

/** Rounds never overlap; changes in the middle of one bring another right after it. */
function nodeRounds(scope: Scope): { run(): Promise<void>; soon(): void } {
  let running: Promise<void> | undefined
  let again = false
  const once = async (): Promise<void> => {
    do {
      again = false
      await round(scope)
    } while (again && !scope.context.signal.aborted)
  }
  const run = (): Promise<void> => running ??= once().finally(() => { running = undefined })
  return {
    run,
    soon() {
      if (running !== undefined) again = true
      else run().catch((error: unknown) => { if (!scope.context.signal.aborted) scope.context.logger.error(error, 'Failed to look at nodes') })
    },
  }
}

async function round(scope: Scope): Promise<void> {
  const { context: { clock, settings }, health } = scope
  const now = clock.now()
  const nodes = scope.nodes.store.list()
  const names = new Set(nodes.map((node) => node.metadata.name))
  for (const name of health.keys()) if (!names.has(name)) health.delete(name)
  const current: Node[] = []
  for (const node of nodes) {
    const { name } = node.metadata
    const known = observe(node, scope.leases.store.get(`kube-node-lease/${name}`), health.get(name), now)
    health.set(name, known)
    const conditions = silentConditions(node, known, { monitor: settings.nodeMonitorGracePeriod, startup: settings.nodeStartupGracePeriod }, now)
    current.push(conditions === undefined ? node : await writeConditions(scope, node, conditions))
  }
  const zones = Map.groupBy(current, zoneOf)
  const everywhereDown = [...zones.values()].every((members) => zoneState(members, settings) === 'FullDisruption')
  for (const [zone, members] of zones) refill(scope, zone, evictionsPerSecond(zoneState(members, settings), members.length, everywhereDown, settings), now)
  for (const node of current) {
    await writeTaints(scope, node, everywhereDown, now)
    if (readyOf(node)?.status === 'True') scope.notReady.delete(node.metadata.name)
    else if (readyOf(node) !== undefined) await markPodsNotReady(scope, node)
  }
}

async function writeConditions({ context: { client, logger } }: Scope, node: Node, conditions: NonNullable<Node['status']>['conditions']): Promise<Node> {
  logger.info('Node has fallen silent', { node: node.metadata.name })
  const written = await client.update(core.nodes, { ...node, status: { ...node.status, conditions } }, { subresource: 'status' }).catch(ignore(isNotFound, isConflict))
  return written ?? node
}

function refill({ budgets }: Scope, zone: string, perSecond: number, now: number): void {
  const known = budgets.get(zone)
  // A zone that comes back from being held back starts with a whole eviction, as upstream's new limiter.
  const left = perSecond === 0 ? 0 : known === undefined || known.perSecond === 0 ? 1 : Math.min(1, known.left + perSecond * (now - known.at) / 1000)
  budgets.set(zone, { left, perSecond, at: now })
}

async function writeTaints(scope: Scope, node: Node, everywhereDown: boolean, now: number): Promise<void> {
  const { context: { client }, budgets } = scope
  const wanted = noExecuteKey(node)
  const has = (node.spec?.taints ?? []).find((taint) => taint.effect === 'NoExecute' && (taint.key === notReadyTaint || taint.key === unreachableTaint))
  let noExecute = wanted
  if (wanted !== undefined && has === undefined) {
    // Giving a node up starts evictions, so it is rationed; one that is given up already only changes its reason.
    const budget = budgets.get(zoneOf(node))
    if (budget === undefined || budget.left < 1) noExecute = 'keep'
    else budget.left -= 1
  }
  // Where every node is down it is we who are cut off: nothing is evicted, and what was begun is taken back.
  if (everywhereDown) noExecute = undefined
  const taints = wantedTaints(node, noExecute, now)
  if (taints === undefined) return
  const body = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } }
  await client.patch(core.nodes, node.metadata.name, { type: 'merge', body }, {}).catch(ignore(isNotFound, isConflict))
}

/** Services should not send to pods of a node that is not ready. */
async function markPodsNotReady(scope: Scope, node: Node): Promise<void> {
  const { context: { client, clock }, pods, recorder, notReady } = scope
  const { name } = node.metadata
  // A kubelet that says itself that it is not ready looks after its pods itself.
  if (readyOf(node)?.status !== 'Unknown') return
  if (!notReady.has(name)) {
    notReady.add(name)
    recordNode(recorder, node, 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
  }
  for (const pod of pods.store.byIndex('node', name)) {
    const ready = podCondition(pod, 'Ready')
    if (ready?.status !== 'True') continue
    const conditions = (pod.status?.conditions ?? []).map((condition) => condition.type === 'Ready' ? { ...condition, status: 'False' as const, lastTransitionTime: wireTime(clock.now()) } : condition)
    await client.update(core.pods, { ...pod, status: { ...pod.status, conditions } }, { subresource: 'status' }).catch(ignore(isNotFound, isConflict))
    recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
  }
}

function recordNode(recorder: EventRecorder, node: Node, reason: string, message: string): void {
  recorder.event({ kind: 'Node', apiVersion: 'v1', name: node.metadata.name, uid: node.metadata.uid ?? node.metadata.name }, 'Normal', reason, message)
}
