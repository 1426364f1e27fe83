import type { Taint } from '@berth/api/types/core/v1'
import type { Manifest } from './objects/manifests.ts'

/** Nodes that pretend: they are Ready, and take pods through their lives without running anything. */
export interface HollowNodeOptions {
  readonly kind?: 'hollow'
  /** One where absent. */
  readonly count?: number
  /** Names are this with a number: `node` gives node-1, node-2. */
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  /** What differs from 8 CPUs, 32Gi of memory, 100Gi of disk, 110 pods. */
  readonly capacity?: Readonly<Record<string, string>>
  /** What becomes of the pods of Jobs: they end well at once (`complete`, the default), or `run`. */
  readonly jobs?: 'complete' | 'run'
}

/** A node that runs pods: Berth's kubelet, in this process, on a CRI runtime of this machine. It needs Linux and root. */
export interface RealNodeOptions {
  readonly kind: 'real'
  /** The socket of containerd, CRI-O or berth cri-docker: `unix:///run/containerd/containerd.sock`. A runtime serves one node. */
  readonly runtimeEndpoint: string
  /** `node-1` where absent. */
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  /** The node's address; the machine's first one where absent. */
  readonly nodeIp?: string
  /** A KubeletConfiguration, as far as it differs from what a node in a test has. */
  readonly kubelet?: Readonly<Record<string, unknown>>
}

export type NodeOptions = HollowNodeOptions | RealNodeOptions

/** How a cluster is to be. Nothing is needed: `startCluster()` gives API server, controllers and scheduler, and no node. */
export interface ClusterOptions {
  /** Hollow nodes: how many, or how they are; or real ones; or several of these. None where absent. */
  readonly nodes?: number | NodeOptions | readonly NodeOptions[]
  /** As --feature-gates. */
  readonly featureGates?: Readonly<Record<string, boolean>>
  /** As --runtime-config: `{ 'scheduling.k8s.io/v1alpha2': true }`. */
  readonly runtimeConfig?: Readonly<Record<string, boolean>>
  /** kube-apiserver's flags: `['--authorization-mode=AlwaysAllow']`. `berth apiserver --help` lists them. */
  readonly apiServerFlags?: readonly string[]
  /** Which controllers run, as kube-controller-manager's --controllers has it (`['*', '-cronjob-controller']`); all where absent, none with false. */
  readonly controllers?: boolean | readonly string[]
  /** false: nothing is scheduled; an object: a KubeSchedulerConfiguration. */
  readonly scheduler?: boolean | Readonly<Record<string, unknown>>
  /** CustomResourceDefinitions, applied and Established before the cluster is given. */
  readonly crds?: Manifest
  /** Objects, applied before the cluster is given, after the definitions. */
  readonly manifests?: Manifest
  /** Where objects are kept over the cluster's end; in memory where absent. */
  readonly dataDir?: string
  /** Milliseconds until an unfinished start is an error; 30,000 where absent. */
  readonly timeout?: number
  /** Takes the lines that the cluster's parts log; they are dropped where absent. */
  readonly log?: (line: string) => void
  /** klog's -v for these lines; 0 where absent. */
  readonly verbosity?: number
}
