// What a test has in hand.
import type { KubeClient } from '@berth/kube/client'
import type { KubeConfig } from '@kubernetes/client-node'
import type { Manifest, NamedObject } from './objects/manifests.ts'
import type { AnyObject } from './wait/last-state.ts'
import type { Target, Until, WaitOptions } from './wait/wanted.ts'

/** Somebody who may log in. */
export interface ClusterUser {
  readonly name: string
  readonly groups: readonly string[]
  /** A client with the user's rights; it needs no socket. */
  readonly client: KubeClient
  /** A kubeconfig with a client certificate of the user. */
  readonly kubeconfig: string
  /** A file with it, readable by its owner alone, written when it is first asked for; gone when the cluster is stopped. */
  readonly kubeconfigPath: string
  /** The kubeconfig as @kubernetes/client-node has it (which must be installed): `cluster.kubeConfig().makeApiClient(CoreV1Api)`. */
  kubeConfig(): KubeConfig
}

/** A cluster of this process, for as long as a test needs it. */
export interface Cluster extends AsyncDisposable {
  /** `https://127.0.0.1:41234` */
  readonly url: string
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string
  /** A client with all rights; it needs no socket. `cluster.client.get(core.pods, 'web', { namespace: 'default' })` */
  readonly client: KubeClient
  /** The administrator's kubeconfig. */
  readonly kubeconfig: string
  /** A file with it, for `KUBECONFIG` or `kubectl --kubeconfig`; written when first asked for, removed by `stop`. */
  readonly kubeconfigPath: string
  /** The administrator's kubeconfig as @kubernetes/client-node has it, which must be installed. */
  kubeConfig(): KubeConfig
  /** A user of this name and these groups, with a client certificate; he has the rights that RBAC gives him. */
  user(name: string, groups?: readonly string[]): Promise<ClusterUser>
  /**
   * Applies YAML, files, directories or objects in their order (server-side apply), waits until new kinds are served, and gives what became of them.
   * Objects that name no namespace go to `namespace` (`default`).
   */
  apply(manifest: Manifest, options?: { namespace?: string }): Promise<NamedObject[]>
  /**
   * Waits until an object is as wanted and gives it: `waitFor('deployment/web', 'condition=Available')`, `waitFor(job, (job) => job.status.succeeded === 3)`.
   * Rejects with WaitTimeoutError, whose message says how the object was last.
   */
  waitFor<T = AnyObject>(target: Target, until: Until<T>, options?: WaitOptions): Promise<T>
  /** A hollow node falls silent, as if its machine had died: its Lease is renewed no more, and its pods are left alone. */
  silenceNode(name: string): void
  /** Ends everything: no timer, socket or file of the cluster is left. May be called twice. */
  stop(): Promise<void>
}
