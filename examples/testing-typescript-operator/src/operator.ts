// An operator in a hundred lines: it watches Websites and their Deployments, and brings about what Websites ask for.
import { ApiException, AppsV1Api, CustomObjectsApi, KubernetesObjectApi, makeInformer, PatchStrategy, type KubeConfig, type KubernetesListObject, type V1Deployment } from '@kubernetes/client-node'
import { group, pageOf, serversOf, type Website } from './website.ts'

const fieldManager = 'website-operator'
const retryMs = 500

export interface Operator {
  /** Ends the watches, and resolves when the last reconciliation is over. */
  stop(): Promise<void>
}

/** Starts the operator; it runs until `stop`. `log` hears of what went wrong and is tried again. */
export async function startOperator(config: KubeConfig, log: (message: string) => void = console.error): Promise<Operator> {
  const websites = config.makeApiClient(CustomObjectsApi)
  const deployments = config.makeApiClient(AppsV1Api)
  const objects = KubernetesObjectApi.makeApiClient(config)
  const sites = makeInformer<Website>(config, `/apis/${group.group}/${group.version}/${group.plural}`, async () => await websites.listClusterCustomObject(group) as KubernetesListObject<Website>)
  const servers = makeInformer<V1Deployment>(config, '/apis/apps/v1/deployments', () => deployments.listDeploymentForAllNamespaces())
  const queue = new KeyQueue(async (key) => {
    const [namespace = '', name = ''] = key.split('/')
    const site = sites.get(name, namespace)
    if (site && !site.metadata?.deletionTimestamp) await reconcile(site)
  }, log)

  async function reconcile(site: Website): Promise<void> {
    await objects.patch(pageOf(site), undefined, undefined, fieldManager, true, PatchStrategy.ServerSideApply)
    const { status } = await objects.patch(serversOf(site), undefined, undefined, fieldManager, true, PatchStrategy.ServerSideApply)
    const wanted = { availableReplicas: status?.availableReplicas ?? 0, observedGeneration: site.metadata?.generation ?? 0 }
    if (site.status?.availableReplicas === wanted.availableReplicas && site.status.observedGeneration === wanted.observedGeneration) return
    const { name = '', namespace = '', resourceVersion } = site.metadata ?? {}
    await websites.replaceNamespacedCustomObjectStatus({ ...group, name, namespace, body: { ...site, metadata: { ...site.metadata, resourceVersion }, status: wanted } })
  }

  sites.on('change', ({ metadata }) => queue.add(`${metadata?.namespace}/${metadata?.name}`))
  servers.on('change', ({ metadata }) => {
    const owner = metadata?.ownerReferences?.find(({ kind, controller }) => controller === true && kind === 'Website')
    if (owner) queue.add(`${metadata?.namespace}/${owner.name}`)
  })
  for (const informer of [sites, servers]) {
    informer.on('error', (error: unknown) => {
      if (queue.closed) return
      log(`a watch ended: ${String(error)}`)
      setTimeout(() => { if (!queue.closed) void informer.start() }, retryMs).unref()
    })
    await informer.start()
  }
  return {
    async stop() {
      queue.close()
      await Promise.all([sites.stop(), servers.stop()])
      await queue.idle()
    },
  }
}

/** Handles keys one after the other; a key that is added while it waits is handled once, one that fails is tried again. */
class KeyQueue {
  readonly #handle: (key: string) => Promise<void>
  readonly #log: (message: string) => void
  readonly #waiting = new Set<string>()
  #running: Promise<void> = Promise.resolve()
  closed = false

  constructor(handle: (key: string) => Promise<void>, log: (message: string) => void) {
    this.#handle = handle
    this.#log = log
  }

  add(key: string): void {
    if (this.closed || this.#waiting.has(key)) return
    this.#waiting.add(key)
    this.#running = this.#running.then(async () => {
      this.#waiting.delete(key)
      if (this.closed) return
      try {
        await this.#handle(key)
      } catch (error) {
        // Somebody else was faster: the change that he made brings the key again.
        if (error instanceof ApiException && error.code === 409) return
        this.#log(`${key}: ${error instanceof Error ? error.message : String(error)}`)
        setTimeout(() => this.add(key), retryMs).unref()
      }
    })
  }

  close(): void {
    this.closed = true
  }

  idle(): Promise<void> {
    return this.#running
  }
}
