import type { Command } from '@berth/kube'

/** A command's line in `berth --help`, and how to get it. Loaded only when it is used: most runs need one of them. */
export interface CommandEntry {
  readonly summary: string
  readonly group: 'cluster' | 'part' | 'internal'
  /** It changes the machine: it runs to its end also when nobody reads its output any more. */
  readonly completes?: boolean
  load(): Promise<Command>
}

/** Every command of `berth`: one line each. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  up: { group: 'cluster', completes: true, summary: 'Start the cluster, or what of it does not run', load: async () => (await import('./commands/up.ts')).up },
  down: { group: 'cluster', completes: true, summary: 'Stop the cluster and remove what it put on the machine; its objects stay', load: async () => (await import('./commands/down.ts')).down },
  status: { group: 'cluster', summary: 'Show whether the cluster runs, process by process', load: async () => (await import('./commands/status.ts')).status },
  kubeconfig: { group: 'cluster', summary: 'Print the administrator\'s kubeconfig, or where it is', load: async () => (await import('./commands/kubeconfig.ts')).kubeconfig },
  logs: { group: 'cluster', summary: 'Print the log of one of Berth\'s own processes', load: async () => (await import('./commands/logs.ts')).logs },
  image: { group: 'cluster', summary: 'Load, build and list images in the cluster\'s Engine', load: async () => (await import('./commands/image.ts')).image },
  snapshot: { group: 'cluster', completes: true, summary: 'Save, restore and migrate what is stored', load: async () => (await import('@berth/apiserver/snapshot')).snapshotCommand },
  why: { group: 'cluster', summary: 'Tell why a pod is on its node, or on none', load: async () => (await import('./commands/why.ts')).why },
  'why-not': { group: 'cluster', summary: 'Tell why a pod is not on a certain node', load: async () => (await import('./commands/why-not.ts')).whyNot },
  'what-if': { group: 'cluster', summary: 'Tell where pods would go, without touching the cluster', load: async () => (await import('./commands/what-if.ts')).whatIf },
  envtest: { group: 'cluster', summary: 'Stand in for the binaries that controller-runtime\'s envtest starts', load: async () => (await import('./commands/envtest.ts')).envtest },
  version: { group: 'cluster', summary: 'Print the versions of Berth, Kubernetes and Node', load: async () => (await import('./commands/version.ts')).version },
  server: { group: 'internal', completes: true, summary: 'Run the control plane of `berth up`: API server, controllers, scheduler', load: async () => (await import('./commands/server.ts')).server },
  agent: { group: 'internal', completes: true, summary: 'Run a node of `berth up`: kubelet, CRI shim, overlay, service proxy, DNS', load: async () => (await import('./commands/agent.ts')).agent },
  apiserver: { group: 'part', summary: 'Run the API server alone, with kube-apiserver\'s flags', load: async () => (await import('@berth/apiserver')).command },
  controllers: { group: 'part', summary: 'Run the controllers against any API server', load: async () => (await import('@berth/controllers')).command },
  scheduler: { group: 'part', summary: 'Run the scheduler against any API server', load: async () => (await import('@berth/scheduler')).command },
  extender: { group: 'part', summary: 'Serve Berth\'s plugins to a kube-scheduler by the extender protocol', load: async () => (await import('@berth/extender')).command },
  kubelet: { group: 'part', summary: 'Run the node agent on any CRI runtime', load: async () => (await import('@berth/kubelet')).command },
  'cri-docker': { group: 'part', summary: 'Serve CRI v1 on a Docker Engine', load: async () => (await import('@berth/cri-docker')).command },
  overlay: { group: 'part', summary: 'Run the pod network of a node: CNI daemon and routes', load: async () => (await import('@berth/overlay')).command },
  'service-proxy': { group: 'part', summary: 'Put Services onto a node\'s nftables', load: async () => (await import('@berth/service-proxy')).command },
  dns: { group: 'part', summary: 'Serve the cluster\'s DNS', load: async () => (await import('@berth/dns')).command },
}
