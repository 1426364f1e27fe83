import { core } from '@berth/api'
import { createLogger, readText, silentLogger, type KubeClient, type Logger, type RunningPart } from '@berth/kube'
import { startControlPlane, type ControlPlane } from './control-plane/control-plane.ts'
import { KubeconfigFiles, makeUser, userWith } from './control-plane/users.ts'
import type { Cluster } from './interface.ts'
import { startHollowNodes } from './nodes/hollow/hollow-nodes.ts'
import { planNodes, type NodePlan } from './nodes/plan.ts'
import { startRealNode } from './nodes/real/real-node.ts'
import { applyManifests } from './objects/apply.ts'
import { resourceFinder } from './objects/resource-finder.ts'
import type { ClusterOptions } from './options.ts'
import { waiting } from './wait/wait-for.ts'

const defaultTimeoutMs = 30_000
const administrator = { name: 'kubernetes-admin', groups: ['system:masters'] }

/**
 * Starts a Kubernetes control plane in this process: API server (HTTPS on a free port of 127.0.0.1), controllers and scheduler, with objects in memory,
 * and the nodes that are wished for. Resolves when the API server is ready, nodes are Ready, and definitions and manifests are applied. Clusters share
 * nothing: there may be many at once. Rejects, with nothing left behind, where a setting is wrong or the start takes longer than `timeout`.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  if (process.getBuiltinModule?.('node:sqlite') === undefined) throw new Error(`a cluster needs Node 22.13 or later, which has SQLite; this is ${process.version}`)
  const plan = planNodes(options.nodes)
  const logger = options.log ? createLogger({ name: 'berth', verbosity: options.verbosity ?? 0, write: options.log }) : silentLogger()
  const plane = await startControlPlane({ flags: flagsOf(options), featureGates: options.featureGates ?? {}, dataDir: options.dataDir, controllers: controllersOf(options.controllers), scheduler: schedulerOf(options.scheduler), logger })
  const started = new StartedCluster(plane, logger)
  try {
    return await inTime(started, options, plan)
  } catch (error) {
    await started.stop()
    throw error
  }
}

async function inTime(started: StartedCluster, options: ClusterOptions, plan: NodePlan): Promise<Cluster> {
  const { timeout = defaultTimeoutMs } = options
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      void started.lacking().then((lacking) => reject(new Error(`the cluster was not ready after ${timeout / 1000}s: ${lacking}`)))
    }, timeout)
  })
  try {
    return await Promise.race([started.prepare(options, plan), late])
  } finally {
    clearTimeout(timer)
  }
}

function flagsOf({ runtimeConfig = {}, apiServerFlags = [] }: ClusterOptions): string[] {
  return [...Object.entries(runtimeConfig).map(([key, value]) => `--runtime-config=${key}=${value}`), ...apiServerFlags]
}

function controllersOf(wished: ClusterOptions['controllers']): readonly string[] {
  return wished === undefined || wished === true ? ['*'] : wished === false ? [] : wished
}

function schedulerOf(wished: ClusterOptions['scheduler']): Readonly<Record<string, unknown>> | undefined {
  return wished === false ? undefined : wished === undefined || wished === true ? {} : wished
}

class StartedCluster {
  readonly #plane: ControlPlane
  readonly #logger: Logger
  readonly #files = new KubeconfigFiles()
  readonly #stopping = new AbortController()
  readonly #nodes: RunningPart[] = []
  readonly #client: KubeClient
  #silence: (node: string) => void = () => {}
  #step = 'the API server'
  #stopped: Promise<void> | undefined

  constructor(plane: ControlPlane, logger: Logger) {
    this.#plane = plane
    this.#logger = logger
    this.#client = plane.clientOf(administrator, 'berth-testing')
  }

  async prepare(options: ClusterOptions, plan: NodePlan): Promise<Cluster> {
    const { api, informers } = this.#plane
    const url = `https://127.0.0.1:${api.port}`
    const finder = resourceFinder(this.#client)
    const wait = waiting(this.#client, finder, this.#stopping.signal)
    const scope = { client: this.#client, finder, wait }
    await this.#plane.whenReady()
    const { name, groups } = administrator
    const known = api.certificates.admin
    const admin = known ? userWith(this.#plane, this.#files, name, groups, url, known) : await makeUser(this.#plane, this.#files, name, groups, url)
    if (options.controllers !== false) {
      // Pods need it; it comes as soon as the namespace is there.
      this.#step = 'the service account of the namespace default'
      await wait.until('serviceaccount/default', 'create')
    }
    this.#step = 'the nodes'
    await this.#startNodes(plan, informers)
    this.#step = 'the custom resource definitions'
    if (options.crds !== undefined) await applyManifests(scope, options.crds)
    this.#step = 'the manifests'
    if (options.manifests !== undefined) await applyManifests(scope, options.manifests)
    const stop = (): Promise<void> => this.stop()
    return {
      url, ca: api.certificates.servingCa, client: this.#client, kubeconfig: admin.kubeconfig,
      get kubeconfigPath() { return admin.kubeconfigPath },
      kubeConfig: () => admin.kubeConfig(),
      user: (name, groups = []) => makeUser(this.#plane, this.#files, name, groups, url),
      apply: (manifest, { namespace } = {}) => applyManifests(scope, manifest, namespace),
      waitFor: (target, until, waitOptions) => wait.until(target, until, waitOptions),
      silenceNode: (name) => this.#silence(name),
      stop, [Symbol.asyncDispose]: stop,
    }
  }

  async #startNodes({ hollow, real }: NodePlan, informers: ControlPlane['informers']): Promise<void> {
    if (hollow.length > 0) {
      const nodes = await startHollowNodes({
        client: this.#client, informers, nodes: hollow, logger: this.#logger.with({ part: 'hollow-nodes' }),
        clientOf: (node) => this.#plane.clientOf({ name: `system:node:${node}`, groups: ['system:nodes'] }, 'kubelet'),
      })
      this.#silence = (node) => nodes.silence(node)
      this.#nodes.push(nodes)
    }
    for (const node of real) this.#nodes.push(await startRealNode({ plane: this.#plane, node, logger: this.#logger.with({ part: 'kubelet', node: node.name }) }))
  }

  /** What a start that does not end still lacks. */
  async lacking(): Promise<string> {
    const nodes = this.#step === 'the nodes' ? (await this.#client.list(core.nodes)).items.map(({ metadata, status, spec }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')
      return ` ${metadata.name} (Ready=${ready?.status ?? 'unknown'}${ready?.message ? `: ${ready.message}` : ''}, taints: ${spec?.taints?.map(({ key }) => key).join(', ') || 'none'})`
    }).join(',') : ''
    const { body } = await this.#client.raw({ method: 'GET', path: '/readyz?verbose' })
    const failing = (await readText(body)).split('\n').filter((line) => line.startsWith('[-]'))
    return `it still waited for ${this.#step}${nodes}${failing.length > 0 ? `; /readyz: ${failing.join(' ')}` : ''}`
  }

  stop(): Promise<void> {
    return (this.#stopped ??= (async () => {
      this.#stopping.abort()
      await this.#plane.stopParts()
      await Promise.all(this.#nodes.map((node) => node.stop()))
      await this.#plane.stop()
      this.#files.remove()
    })())
  }
}
