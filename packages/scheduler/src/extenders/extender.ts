import type { Pod } from '@berth/api/types/core/v1'
import type { ExtenderConfig } from '../config/types.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { Candidate } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { readBindingResult, readFilterResult, readPreemptionResult, readPriorities, type HostPriority } from './answers.ts'
import { ExtenderError } from './errors.ts'
import { httpSender } from './http-client.ts'
import type { ExtenderMetrics } from './metrics.ts'

/** What is left of the nodes, and why the others failed. */
export interface Filtered {
  readonly nodes: readonly NodeInfo[]
  readonly failed: ReadonlyMap<string, string>
  readonly failedAndUnresolvable: ReadonlyMap<string, string>
}

/** An extender over HTTP (upstream: HTTPExtender). Its methods throw ExtenderError, which its metrics have counted. */
export class Extender {
  readonly name: string
  readonly #config: ExtenderConfig
  readonly #send: ReturnType<typeof httpSender>
  readonly #metrics: ExtenderMetrics | undefined
  readonly #managed: ReadonlySet<string>

  constructor(config: ExtenderConfig, metrics?: ExtenderMetrics) {
    this.name = config.urlPrefix
    this.#config = config
    this.#send = httpSender(config)
    this.#metrics = metrics
    this.#managed = new Set(config.managedResources.map(({ name }) => name))
  }

  get ignorable(): boolean {
    return this.#config.ignorable
  }

  get weight(): number {
    return this.#config.weight
  }

  get filters(): boolean {
    return this.#config.filterVerb !== ''
  }

  get prioritizes(): boolean {
    return this.#config.prioritizeVerb !== ''
  }

  get preempts(): boolean {
    return this.#config.preemptVerb !== ''
  }

  get binds(): boolean {
    return this.#config.bindVerb !== ''
  }

  /** Whether the pod asks for a resource that this extender manages; it is asked about all, where it names none. */
  isInterested({ pod }: PodInfo): boolean {
    if (this.#managed.size === 0) return true
    return [...pod.spec.containers, ...pod.spec.initContainers ?? []].some(({ resources }) =>
      [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})].some((name) => this.#managed.has(name)))
  }

  async filter(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<Filtered> {
    if (!this.filters) return { nodes, failed: new Map(), failedAndUnresolvable: new Map() }
    return this.#ask('filter', async () => {
      const result = readFilterResult(await this.#send(this.#config.filterVerb, this.#nodeArgs(pod.pod, nodes)))
      if (result.error !== '') throw new ExtenderError('refused', result.error)
      const byName = new Map(nodes.map((node) => [node.name, node]))
      // Whoever was sent names and answers with nodes, or the other way round, is read as upstream reads it.
      const left = this.#config.nodeCacheCapable && result.nodeNames ? result.nodeNames : result.nodes ?? []
      return {
        nodes: left.map((name) => {
          const node = byName.get(name)
          if (!node) throw new ExtenderError('unknown-node', `extender ${JSON.stringify(this.name)} claims a filtered node ${JSON.stringify(name)} which is not found in the input node list`)
          return node
        }),
        failed: result.failed, failedAndUnresolvable: result.failedAndUnresolvable,
      }
    })
  }

  async prioritize(pod: PodInfo, nodes: readonly NodeInfo[]): Promise<readonly HostPriority[]> {
    if (!this.prioritizes) return []
    return this.#ask('prioritize', async () => readPriorities(await this.#send(this.#config.prioritizeVerb, this.#nodeArgs(pod.pod, nodes))))
  }

  /** The candidates that the extender agrees to, with the victims that it names. */
  async preempt(pod: PodInfo, candidates: readonly Candidate[], snapshot: Snapshot): Promise<Candidate[]> {
    return this.#ask('preempt', async () => {
      const victims = Object.fromEntries(candidates.map(({ node, victims, violations }) => [node, {
        Pods: this.#config.nodeCacheCapable ? victims.map(({ pod: { metadata } }) => ({ UID: metadata.uid ?? '' })) : victims.map((victim) => victim.pod), NumPDBViolations: violations,
      }]))
      const args = this.#config.nodeCacheCapable ? { Pod: pod.pod, NodeNameToVictims: null, NodeNameToMetaVictims: victims } : { Pod: pod.pod, NodeNameToVictims: victims, NodeNameToMetaVictims: null }
      const result = readPreemptionResult(await this.#send(this.#config.preemptVerb, JSON.stringify(args)))
      return [...result].map(([name, { uids, violations }]) => {
        const node = snapshot.node(name)
        if (!node) throw new ExtenderError('unknown-node', `nodeinfo not found for node name ${JSON.stringify(name)}`)
        const known = new Map([...node.pods.values()].map((each) => [each.pod.metadata.uid ?? '', each]))
        return { node: name, violations, victims: uids.map((uid) => {
          const victim = known.get(uid)
          if (!victim) throw new ExtenderError('unknown-victim', `extender: ${this.name} claims to preempt pod (UID: ${uid}) on node: ${name}, but the pod is not found on that node`)
          return victim
        }) }
      })
    })
  }

  async bind({ pod, namespace }: PodInfo, node: string): Promise<void> {
    return this.#ask('bind', async () => {
      const error = readBindingResult(await this.#send(this.#config.bindVerb, JSON.stringify({ PodName: pod.metadata.name, PodNamespace: namespace, PodUID: pod.metadata.uid ?? '', Node: node })))
      if (error !== '') throw new ExtenderError('refused', error)
    })
  }

  /** Counts what the caller found wrong with an answer that could be read. */
  count(verb: 'preempt', error: ExtenderError): ExtenderError {
    this.#metrics?.error(this.name, verb, error.fault)
    return error
  }

  close(): void {
    this.#send.close()
  }

  #nodeArgs(pod: Pod, nodes: readonly NodeInfo[]): string {
    return JSON.stringify(this.#config.nodeCacheCapable
      ? { Pod: pod, Nodes: null, NodeNames: nodes.map(({ name }) => name) }
      : { Pod: pod, Nodes: { metadata: {}, items: nodes.map(({ node }) => node) }, NodeNames: null })
  }

  async #ask<T>(verb: string, ask: () => Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      return await ask()
    } catch (error) {
      this.#metrics?.error(this.name, verb, error instanceof ExtenderError ? error.fault : 'malformed')
      throw error
    } finally {
      this.#metrics?.duration(this.name, verb, (performance.now() - started) / 1000)
    }
  }
}

/** The extenders in the order in which they are asked: those whose failure can be ignored come last. */
export function makeExtenders(configs: readonly ExtenderConfig[], metrics?: ExtenderMetrics): Extender[] {
  return [...configs.filter(({ ignorable }) => !ignorable), ...configs.filter(({ ignorable }) => ignorable)].map((config) => new Extender(config, metrics))
}
