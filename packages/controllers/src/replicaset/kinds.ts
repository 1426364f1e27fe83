import type { ResourceInfo } from '@berth/api'
import type { ReplicaSet } from '@berth/api/types/apps/v1'
import type { Informer, InformerHandler, KubeClient } from '@berth/kube'
import type { ApiObject } from '../common/owners.ts'

/** A kind that keeps so many pods of one template: ReplicaSets, and ReplicationControllers, which are read as such. */
export interface ReplicaKind<W extends ApiObject> {
  readonly controller: string
  /** The component that its events name. */
  readonly events: string
  /** Upstream's name of its work queue. */
  readonly queue: string
  readonly resource: ResourceInfo<W>
  asSet(object: W): ReplicaSet
  /** Writes the status of `set`, which `asSet` gave. */
  writeStatus(client: KubeClient, set: ReplicaSet): Promise<unknown>
}

/** The objects of a kind, read as ReplicaSets. */
export interface Sets {
  readonly store: { get(key: string): ReplicaSet | undefined; byIndex(index: string, value: string): ReplicaSet[] }
  on(handler: InformerHandler<ReplicaSet>): () => void
}

export function setsOf<W extends ApiObject>(kind: ReplicaKind<W>, informer: Informer<W>): Sets {
  return {
    store: {
      get(key) {
        const object = informer.store.get(key)
        return object === undefined ? undefined : kind.asSet(object)
      },
      byIndex: (index, value) => informer.store.byIndex(index, value).map((object) => kind.asSet(object)),
    },
    on: (handler) => informer.on({
      added: (object) => handler.added?.(kind.asSet(object)),
      updated: (old, now) => handler.updated?.(kind.asSet(old), kind.asSet(now)),
      deleted: (object) => handler.deleted?.(kind.asSet(object)),
    }),
  }
}
