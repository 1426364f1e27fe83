import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { ApiError, errorText, isConflict, isNotFound, type KubeClient } from '@berth/kube'
import { podInfoOf, type Cache, type Profile } from '@berth/scheduler/parts'
import type { BindArgs } from '../wire/protocol.ts'
import { filterNodes } from './evaluate.ts'

/**
 * Binds pods for a scheduler, and looks once more before it does: between filter and bind others may have taken what
 * was free. What is being bound counts at once, so that two pods never get the same room.
 */
export class Binder {
  readonly #cache: Cache
  readonly #profile: Profile
  readonly #client: Pick<KubeClient, 'createSubresource' | 'get'>
  /** Pods that wait for a node, as the API has them. */
  readonly #waiting: (key: string) => Pod | undefined
  #sequence = 0

  constructor(options: { cache: Cache; profile: Profile; client: Pick<KubeClient, 'createSubresource' | 'get'>; waiting: (key: string) => Pod | undefined }) {
    this.#cache = options.cache
    this.#profile = options.profile
    this.#client = options.client
    this.#waiting = options.waiting
  }

  /** Binds the pod; gives why not, in words, or undefined where it is bound. */
  async bind({ podName, podNamespace, podUid, node }: BindArgs, checkTime: () => void): Promise<string | undefined> {
    const key = `${podNamespace}/${podName}`
    const pod = this.#waiting(key) ?? await this.#fromApi(podName, podNamespace)
    if (!pod) return `pod ${key} is not there`
    if (podUid !== '' && pod.metadata.uid !== podUid) return `pod ${key} is another one now: its uid is ${pod.metadata.uid ?? 'unknown'}, not ${podUid}`
    checkTime()
    const info = podInfoOf(pod)
    const target = this.#cache.node(node)
    if (!target) return `node ${node} is not known to the extender`
    const before = this.#cache.placeOf(key)
    if (before !== undefined) return before === node ? undefined : `pod ${key} is on node ${before} already`
    const [verdict] = filterNodes(info, [target], this.#profile, this.#cache, checkTime)
    if (verdict) return `node ${node} has no room any more: ${verdict.reasons.join(', ')}`
    this.#cache.apply({ type: 'assume', pod: { ...pod, spec: { ...pod.spec, nodeName: node } }, node, sequence: ++this.#sequence })
    try {
      await this.#client.createSubresource(core.pods, podName, 'binding', {
        apiVersion: 'v1', kind: 'Binding', metadata: { name: podName, namespace: podNamespace, ...(podUid === '' ? {} : { uid: podUid }) }, target: { apiVersion: 'v1', kind: 'Node', name: node },
      }, { namespace: podNamespace })
      return undefined
    } catch (error) {
      // Where it is open what the server did, it is asked: what is taken back here while it is bound there would be given to somebody else, too.
      if (await this.#isBound(error, podName, podNamespace, node)) return undefined
      this.#cache.apply({ type: 'forget', key, sequence: ++this.#sequence })
      return errorText(error)
    }
  }

  async #isBound(error: unknown, name: string, namespace: string, node: string): Promise<boolean> {
    if (error instanceof ApiError && error.code < 500 && !isConflict(error)) return false
    try {
      return (await this.#client.get(core.pods, name, { namespace })).spec.nodeName === node
    } catch {
      // The watch will tell: until then the scheduler tries again, and finds it bound.
      return false
    }
  }

  async #fromApi(name: string, namespace: string): Promise<Pod | undefined> {
    try {
      return await this.#client.get(core.pods, name, { namespace })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}
