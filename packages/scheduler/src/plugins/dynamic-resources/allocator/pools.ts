import { nodeSelectorMatches } from '@berth/pod-rules'
import type { Node, NodeSelector } from '@berth/api/types/core/v1'
import type { CounterSet, ResourceSlice } from '@berth/api/types/resource/v1'
import type { AllocatorFeatures, SlicesByNode } from './types.ts'

/** The devices that a driver offers under one name, as far as a node can use them. */
export interface Pool {
  readonly driver: string
  readonly name: string
  /** Not all of its slices are published yet, or they contradict each other: nothing is allocated from it. */
  readonly state: 'usable' | 'incomplete' | 'invalid'
  readonly slices: readonly ResourceSlice[]
  /** Those of its slices whose devices are elsewhere: what they have in use counts against shared counters. */
  readonly elsewhere: readonly ResourceSlice[]
  readonly counterSets: ReadonlyMap<string, CounterSet>
}

/** Whether a place (a node's name, all nodes, or a selector) is this node. */
export function placeMatches(node: Node, place: { nodeName?: string; allNodes?: boolean; nodeSelector?: NodeSelector }): boolean {
  if (place.nodeName !== undefined && place.nodeName !== '') return place.nodeName === node.metadata.name
  if (place.allNodes === true) return true
  return place.nodeSelector !== undefined && nodeSelectorMatches(place.nodeSelector, node)
}

function isRelevant(slice: ResourceSlice, node: Node): boolean {
  const { nodeName = '', allNodes, nodeSelector, perDeviceNodeSelection, sharedCounters = [], devices = [] } = slice.spec
  // Counters belong to the pool, wherever its devices are.
  if (sharedCounters.length > 0) return true
  if (nodeName !== '' || allNodes === true || nodeSelector !== undefined) return placeMatches(node, slice.spec)
  return perDeviceNodeSelection === true && devices.some((device) => placeMatches(node, device))
}

/**
 * The pools that a node can use, in the order in which they are tried: by driver and name, those with binding conditions last.
 * Slices of an older generation are ignored.
 */
export function gatherPools(slices: SlicesByNode, node: Node, features: AllocatorFeatures): Pool[] {
  const found = new Map<string, ResourceSlice[]>()
  for (const slice of slices.forNode(node.metadata.name)) {
    const { driver, pool, perDeviceNodeSelection, sharedCounters = [] } = slice.spec
    if (!features.partitionableDevices && (perDeviceNodeSelection !== undefined || sharedCounters.length > 0)) continue
    if (!isRelevant(slice, node)) continue
    const id = `${driver}/${pool.name}`
    const known = found.get(id)
    const generation = known?.[0]?.spec.pool.generation
    if (known === undefined || generation === undefined || pool.generation > generation) found.set(id, [slice])
    else if (pool.generation === generation) known.push(slice)
  }
  const pools = [...found.values()].flatMap((ofPool) => poolOf(ofPool, slices.all, features) ?? [])
  return pools.sort((a, b) => Number(hasBindingConditions(a)) - Number(hasBindingConditions(b)) || order(a.driver, b.driver) || order(a.name, b.name))
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const hasBindingConditions = ({ slices }: Pool): boolean => slices.some(({ spec }) => (spec.devices ?? []).some(({ bindingConditions }) => bindingConditions !== undefined))

// Undefined for a pool of which a newer generation is on its way elsewhere.
function poolOf(ofNode: readonly ResourceSlice[], all: readonly ResourceSlice[], features: AllocatorFeatures): Pool | undefined {
  const [first] = ofNode
  if (first === undefined) return undefined
  const { driver, pool: { name, generation, resourceSliceCount } } = first.spec
  const base = { driver, name, slices: [], elsewhere: [], counterSets: new Map<string, CounterSet>() }
  let everywhere = ofNode
  if (ofNode.length !== resourceSliceCount) {
    const ofPool = all.filter(({ spec }) => spec.driver === driver && spec.pool.name === name)
    if (ofPool.some(({ spec }) => spec.pool.generation > generation)) return undefined
    everywhere = ofPool.filter(({ spec }) => spec.pool.generation === generation)
    if (everywhere.length !== resourceSliceCount) return { ...base, state: 'incomplete' }
  }
  const sorted = [...ofNode].sort((a, b) => order(a.metadata.name, b.metadata.name))
  const counting = features.partitionableDevices ? sorted.filter(({ spec }) => (spec.sharedCounters ?? []).length > 0) : []
  const offering = sorted.filter((slice) => !counting.includes(slice))
  const counterSets = counterSetsOf(counting)
  if (counterSets === undefined || hasDuplicates(offering.flatMap(({ spec }) => (spec.devices ?? []).map((device) => device.name)))) return { ...base, state: 'invalid' }
  if (!features.partitionableDevices) return { ...base, state: 'usable', slices: offering }
  const elsewhere = everywhere.filter((slice) => !ofNode.includes(slice))
  if (![...sorted, ...elsewhere].every((slice) => consumesKnownCounters(slice, counterSets))) return { ...base, state: 'invalid' }
  return { ...base, state: 'usable', slices: offering, elsewhere, counterSets }
}

function hasDuplicates(names: readonly string[]): boolean {
  return new Set(names).size !== names.length
}

function counterSetsOf(slices: readonly ResourceSlice[]): Map<string, CounterSet> | undefined {
  const sets = slices.flatMap(({ spec }) => spec.sharedCounters ?? [])
  return hasDuplicates(sets.map(({ name }) => name)) ? undefined : new Map(sets.map((set) => [set.name, set]))
}

function consumesKnownCounters({ spec }: ResourceSlice, sets: ReadonlyMap<string, CounterSet>): boolean {
  return (spec.devices ?? []).every(({ consumesCounters = [] }) => consumesCounters.every(({ counterSet, counters = {} }) => {
    const known = sets.get(counterSet)?.counters
    return known !== undefined && Object.keys(counters).every((name) => Object.hasOwn(known, name))
  }))
}
