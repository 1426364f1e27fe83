import { randomUUID } from 'node:crypto'
import { resource } from '@berth/api'
import type { AllocationResult, DeviceClass, ResourceClaim, ResourceSlice } from '@berth/api/types/resource/v1'
import { parseDuration, sleep } from '@berth/kube'
import { nodeSelectorMatches } from '@berth/pod-rules'
import type { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import { defaultNormalize } from '../framework/normalize.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { skip, unresolvable, type Status } from '../framework/status.ts'
import { allocate } from './dynamic-resources/allocator/search.ts'
import { claimKey, NodeAllocationError, slicesByNode, type AllocationInput, type AllocatorFeatures } from './dynamic-resources/allocator/types.ts'
import { bindClaim, deallocate, unreserve } from './dynamic-resources/bind.ts'
import { hasBindingConditions, isOverdue, readiness } from './dynamic-resources/binding-conditions.ts'
import { sharedBooks, type ClaimBooks } from './dynamic-resources/books.ts'
import { isReservedFor, podClaims } from './dynamic-resources/claims.ts'
import { dynamicResourcesEvents } from './dynamic-resources/hints.ts'
import { selectorCache } from './dynamic-resources/selectors.ts'
import type { PluginContext } from './registry.ts'

/** DynamicResourcesArgs (kubescheduler.config.k8s.io/v1). */
export interface DynamicResourcesArgs {
  /** How long the search for devices on one node may take; 10s where absent, 0 for without bound. */
  readonly filterTimeout?: string
  /** How long a pod waits for its devices to be ready; 10m where absent. */
  readonly bindingTimeout?: string
}

const stateKey = 'DynamicResources'
const pollMs = 1000
/** How many alternatives a request can have: the first one scores that much. */
const maxAlternatives = 8

interface State {
  /** The pod's claims; those that are bound are replaced by what was written. */
  readonly claims: ResourceClaim[]
  /** What allocation reads; absent where all claims have their devices. */
  readonly input?: Omit<AllocationInput, 'checkTime'>
  /** What filter found, by node. */
  readonly byNode: Map<string, AllocationResult[]>
  /** Claims that are allocated, and of no use on some node. */
  readonly unavailable: Set<ResourceClaim>
  /** What reserve decided, by claim uid. */
  readonly decided: Map<string, AllocationResult>
}

type Context = Pick<PluginContext, 'args' | 'client' | 'clock' | 'gates' | 'snapshot'>

function featuresOf({ gates }: Context): AllocatorFeatures {
  return {
    adminAccess: gates.enabled('DRAAdminAccess'), prioritizedList: gates.enabled('DRAPrioritizedList'), partitionableDevices: gates.enabled('DRAPartitionableDevices'),
    deviceTaints: gates.enabled('DRADeviceTaints'), consumableCapacity: gates.enabled('DRAConsumableCapacity'),
    bindingConditions: gates.enabled('DRADeviceBindingConditions') && gates.enabled('DRAResourceClaimDeviceStatus'),
  }
}

const uidOf = ({ metadata }: ResourceClaim): string => metadata.uid ?? ''
const isOpen = ({ status }: ResourceClaim): boolean => status?.allocation === undefined

/** What is wrong with the classes of a claim that is to be allocated. */
function classProblem(claim: ResourceClaim, classes: ReadonlyMap<string, DeviceClass>, features: AllocatorFeatures): string | undefined {
  const missing = (name: string, request: string): string | undefined => classes.has(name) ? undefined : `request ${request}: device class ${name} does not exist`
  for (const { name, exactly, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
    if (exactly) {
      const problem = missing(exactly.deviceClassName, name)
      if (problem) return problem
    } else if (firstAvailable.length === 0) return `resource claim ${claimKey(claim)}, request ${name}: unknown request type`
    else if (!features.prioritizedList) return `resource claim ${claimKey(claim)}, request ${name}: has subrequests, but the DRAPrioritizedList feature is disabled`
    for (const alternative of firstAvailable) {
      const problem = missing(alternative.deviceClassName, `${name}/${alternative.name}`)
      if (problem) return problem
    }
  }
  return undefined
}

/**
 * Finds nodes with the devices that a pod's ResourceClaims ask for (resource.k8s.io/v1), and decides which ones the claims get. What is
 * decided counts at once; the API hears of it in preBind, and the pod is bound when its devices are ready.
 */
export function dynamicResources(context: Context): Plugin {
  const { clock, gates, client } = context
  const args = context.args.DynamicResources ?? {}
  const filterTimeoutMs = gates.enabled('DRASchedulerFilterTimeout') ? parseDuration(args.filterTimeout ?? '10s') : 0
  const bindingTimeoutMs = parseDuration(args.bindingTimeout ?? '10m')
  const features = featuresOf(context)
  const selects = selectorCache({ consumableCapacity: features.consumableCapacity, listTypeAttributes: gates.enabled('DRAListTypeAttributes') })
  const books: ClaimBooks = sharedBooks(client ?? {})
  // The pod that was asked about last, for postFilter, which follows without another pod between.
  let latest: { readonly pod: string; readonly state: State } | undefined

  const claimsOf = (snapshot: Snapshot): ReadonlyMap<string, ResourceClaim> => snapshot.objects<ResourceClaim>(resource.resourceclaims)
  const lookupIn = (snapshot: Snapshot) => (key: string): ResourceClaim | undefined => books.current(key, claimsOf(snapshot).get(key))
  const stateOf = (cycle: CycleState): State | undefined => cycle.read<State>(stateKey)

  const problemOf = (claims: readonly ResourceClaim[], snapshot: Snapshot): string | undefined => {
    const classes = snapshot.objects<DeviceClass>(resource.deviceclasses)
    for (const claim of claims.filter(isOpen)) {
      if (books.inFlight(uidOf(claim))) return `resource claim ${claimKey(claim)} is in the process of being allocated`
      const problem = classProblem(claim, classes, features)
      if (problem) return problem
    }
    return undefined
  }

  const inputOf = (snapshot: Snapshot): Omit<AllocationInput, 'checkTime'> => ({
    features, selects, newShareId: randomUUID,
    allocated: books.allocated(claimsOf(snapshot), features.consumableCapacity),
    slices: slicesByNode([...snapshot.objects<ResourceSlice>(resource.resourceslices).values()]),
    deviceClass: (name) => snapshot.objects<DeviceClass>(resource.deviceclasses).get(name),
  })

  /** Allocates what is open on a node. A status where it has not what is needed; throws where the claims themselves are at fault. */
  const allocateOn = (state: State, node: NodeInfo): AllocationResult[] | Status => {
    if (!state.input) return []
    const end = filterTimeoutMs > 0 ? clock.now() + filterTimeoutMs : Infinity
    const checkTime = (): void => {
      if (clock.now() > end) throw new Error(`node ${node.name}: timed out trying to allocate devices`)
    }
    try {
      return allocate({ ...state.input, checkTime }, node.node, state.claims.filter(isOpen)) ?? unresolvable('cannot allocate all claims')
    } catch (error) {
      if (error instanceof NodeAllocationError) return unresolvable(error.message)
      throw error
    }
  }

  /** Whether an allocated claim can be used on a node. */
  const usableOn = (claim: ResourceClaim, node: NodeInfo): boolean => {
    const allocation = claim.status?.allocation
    if (!allocation) return true
    if (allocation.nodeSelector && !nodeSelectorMatches(allocation.nodeSelector, node.node)) return false
    if (!features.bindingConditions) return true
    const ready = readiness(claim)
    return ready === 'ready' || ready === 'waiting' && !isOverdue(claim, clock.now(), bindingTimeoutMs)
  }

  /** Points for the alternatives that a node would give: the more wanted, the more. */
  const alternativesScore = (state: State, node: NodeInfo): number => {
    const found = state.byNode.get(node.name) ?? []
    let next = 0
    return state.claims.reduce((score, claim) => {
      const allocation = claim.status?.allocation ?? found[next++]
      const given = new Set((allocation?.devices?.results ?? []).map((result) => result.request))
      return score + (claim.spec.devices?.requests ?? []).reduce((sum, { name, firstAvailable = [] }) =>
        sum + firstAvailable.reduce((points, alternative, i) => given.has(`${name}/${alternative.name}`) ? points + maxAlternatives - i : points, 0), 0)
    }, 0)
  }

  const waitUntilReady = async (state: State, signal: AbortSignal): Promise<void> => {
    const end = clock.now() + bindingTimeoutMs
    for (;;) {
      const lookup = lookupIn(context.snapshot())
      const current = state.claims.map((claim) => lookup(claimKey(claim)))
      const outcomes = current.map((claim, i) => claim ? readiness(claim) : { failure: `could not find ResourceClaim "${claimKey(state.claims[i] as ResourceClaim)}"` })
      if (outcomes.every((outcome) => outcome === 'ready')) return
      for (const outcome of outcomes) if (typeof outcome === 'object') throw new Error(outcome.failure)
      const overdue = current.find((claim) => claim && isOverdue(claim, clock.now(), bindingTimeoutMs))
      if (overdue || clock.now() >= end) throw new Error(`device binding timeout${overdue ? `: claim=${overdue.metadata.name}` : ''}`)
      await sleep(clock, pollMs, signal)
    }
  }

  return {
    name: 'DynamicResources',
    sign: ({ pod }) => ((pod.spec.resourceClaims ?? []).length === 0 ? '' : undefined),
    events: () => dynamicResourcesEvents((key) => lookupIn(context.snapshot())(key)),
    preEnqueue({ pod }) {
      const claims = podClaims(pod, lookupIn(context.snapshot()))
      return typeof claims === 'string' ? unresolvable(claims) : undefined
    },
    preFilter(cycle, { key, pod }, snapshot) {
      latest = undefined
      if ((pod.spec.resourceClaims ?? []).length === 0) return { status: skip }
      const claims = podClaims(pod, lookupIn(snapshot))
      if (typeof claims === 'string') return { status: unresolvable(claims) }
      if (claims.length === 0) return { status: skip }
      const problem = problemOf(claims, snapshot)
      if (problem) return { status: unresolvable(problem) }
      const state: State = { claims, byNode: new Map(), unavailable: new Set(), decided: new Map(), ...(claims.some(isOpen) ? { input: inputOf(snapshot) } : {}) }
      latest = { pod: key, state }
      cycle.write(stateKey, state)
      return undefined
    },
    filter(cycle, _pod, node) {
      const state = stateOf(cycle)
      if (!state) return undefined
      const unavailable = state.claims.filter((claim) => !usableOn(claim, node))
      for (const claim of unavailable) state.unavailable.add(claim)
      const found = allocateOn(state, node)
      if ('code' in found) return found
      if (unavailable.length > 0) return unresolvable('resourceclaim not available on the node')
      state.byNode.set(node.name, found)
      return undefined
    },
    postFilter({ key, pod }) {
      const state = latest?.pod === key ? latest.state : undefined
      latest = undefined
      if (!state) return { victims: [], message: 'no new claims to deallocate' }
      const claim = [...state.unavailable].find(({ status }) => (status?.reservedFor ?? []).every(({ uid }) => uid === pod.metadata.uid) && (status?.reservedFor ?? []).length <= 1)
      if (!claim) return { victims: [], message: 'still not schedulable' }
      // The pod is tried again when the claim is seen to be free; where the API refuses, with its back-off.
      if (client) void deallocate(client, claim).catch(() => undefined)
      return { victims: [], message: 'deallocation of ResourceClaim completed' }
    },
    preScore(cycle) {
      const wanted = stateOf(cycle)?.claims.some((claim) => (claim.spec.devices?.requests ?? []).some(({ firstAvailable = [] }) => firstAvailable.length > 0))
      return wanted === true && features.prioritizedList ? undefined : skip
    },
    score(cycle, _pod, node) {
      const state = stateOf(cycle)
      return state ? alternativesScore(state, node) : 0
    },
    normalize: (_cycle, _pod, scores) => defaultNormalize(scores, false),
    reserve(cycle, _pod, nodeName) {
      latest = undefined
      const state = stateOf(cycle)
      if (!state?.input) return undefined
      const node = context.snapshot().node(nodeName)
      const found = state.byNode.get(nodeName) ?? (node && allocateOn(state, node))
      if (!found) throw new Error('claim allocation not found for node')
      if ('code' in found) return found
      for (const [i, claim] of state.claims.filter(isOpen).entries()) {
        const allocation = found[i]
        if (!allocation) throw new Error(`no allocation for claim ${claimKey(claim)}`)
        state.decided.set(uidOf(claim), allocation)
        books.depart(uidOf(claim), allocation)
      }
      return undefined
    },
    unreserve(cycle, { pod }) {
      const state = stateOf(cycle)
      for (const claim of state?.claims ?? []) {
        if (state?.decided.has(uidOf(claim))) books.takeBack(uidOf(claim))
        // What fails here is put right when the pod is tried again.
        if (client && claim.status?.allocation && isReservedFor(claim, pod)) void unreserve(client, claim, pod).catch(() => undefined)
      }
    },
    preBindSkips: (cycle) => stateOf(cycle) === undefined,
    async preBind(cycle, { pod }: PodInfo, _node, signal) {
      const state = stateOf(cycle)
      if (!state) return undefined
      if (!client) throw new Error('DynamicResources has no client to bind claims with')
      for (const [i, claim] of state.claims.entries()) {
        if (isReservedFor(claim, pod)) continue
        const bound = await bindClaim(claim, pod, state.decided.get(uidOf(claim)), { client, clock, timestamp: features.bindingConditions })
        books.arrive(bound)
        state.claims[i] = bound
      }
      if (features.bindingConditions && state.claims.some(hasBindingConditions)) await waitUntilReady(state, signal)
      return undefined
    },
  }
}
