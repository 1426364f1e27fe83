import { core, discovery } from '@berth/api'
import type { Service } from '@berth/api/types/core/v1'
import { isAlreadyExists, isNotFound, type KubeClient, type Logger } from '@berth/kube'
import { correctedService, dnsService, namespace, selectorManager, serviceName } from './objects.ts'

/** Keeps the Service kube-system/kube-dns as it should be. */
export class ServiceKeeper {
  readonly #client: KubeClient
  readonly #logger: Logger
  readonly #clusterIP: string
  #complainedOf: string | undefined
  #strays = false

  constructor(client: KubeClient, logger: Logger, clusterIP: string) {
    this.#client = client
    this.#logger = logger
    this.#clusterIP = clusterIP
  }

  /** Creates or corrects the Service. Its cluster IP cannot be changed: another one than ours is told in the log, once. Throws ApiError. */
  async keep(): Promise<void> {
    const found = await this.#get()
    if (!found) return
    const corrected = correctedService(found, this.#clusterIP)
    if (corrected) {
      this.#strays ||= Object.keys(found.spec?.selector ?? {}).length > 0
      await this.#client.update(core.services, corrected)
      this.#logger.info('Corrected the Service of the DNS', { service: `${namespace}/${serviceName}` })
    }
    this.#checkAddress((corrected ?? found).spec?.clusterIP)
    if (this.#strays) await this.#removeStrays()
  }

  async #get(): Promise<Service | undefined> {
    try {
      return await this.#client.get(core.services, serviceName, { namespace })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    try {
      await this.#client.create(core.services, dnsService(this.#clusterIP))
      return undefined
    } catch (error) {
      // Another node was first.
      if (isAlreadyExists(error)) return this.#client.get(core.services, serviceName, { namespace })
      throw error
    }
  }

  #checkAddress(clusterIP: string | undefined): void {
    const wrong = clusterIP === this.#clusterIP ? undefined : clusterIP
    if (wrong !== undefined && wrong !== this.#complainedOf) {
      this.#logger.warn('The Service of the DNS has another cluster IP than pods ask, and it cannot be changed: delete the Service, and it will be made anew', {
        service: `${namespace}/${serviceName}`, clusterIP: wrong, wanted: this.#clusterIP,
      })
    }
    this.#complainedOf = wrong
  }

  // Nobody takes back the slices of a selector that is gone: they would go on getting traffic.
  async #removeStrays(): Promise<void> {
    const slices = await this.#client.list(discovery.endpointslices, { namespace, labelSelector: `kubernetes.io/service-name=${serviceName}` })
    for (const { metadata } of slices.items) {
      const { 'kubernetes.io/service-name': service, 'endpointslice.kubernetes.io/managed-by': manager } = metadata.labels ?? {}
      if (service !== serviceName || manager !== selectorManager) continue
      await this.#client.delete(discovery.endpointslices, metadata.name, { namespace }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
    this.#strays = false
  }
}
