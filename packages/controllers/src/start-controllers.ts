import { setMaxListeners } from 'node:events'
import { createEventRecorder, sleep, systemClock, type Clock, type EventRecorder, type Informers, type KubeClient, type Logger, type RunningPart, type WorkQueueObserver } from '@berth/kube'
import { defaultSettings, type ControllerSettings } from './config.ts'
import type { ControllerContext } from './context.ts'
import { CidrSet } from './node-ipam/cidr-set.ts'
import { chooseControllers } from './registry.ts'

export interface StartControllersOptions extends Partial<Omit<ControllerSettings, 'clusterCidrs'>> {
  client: KubeClient
  /** Shared with other parts of this thread; started here where they are not yet. */
  informers: Informers
  logger: Logger
  /** The range (or one of each family) that nodes' podCIDRs are cut from. */
  clusterCidr?: string | readonly string[]
  /** Size of a node's podCIDR (IPv4). */
  nodeCidrMaskSize?: number
  clock?: Clock
  /** See `workQueueMetrics` of @berth/kube. */
  queueObserver?: (name: string) => WorkQueueObserver
  /** Stops everything too. */
  signal?: AbortSignal
}

/** Starts the controllers that `controllers` chooses (all, when absent). They run until `stop()`, or the signal; a controller that ends with an error is started again. */
export async function startControllers(options: StartControllersOptions): Promise<RunningPart> {
  const { client, informers, logger, clusterCidr, nodeCidrMaskSize, clock = systemClock, queueObserver, signal: outer, ...given } = options
  const settings: ControllerSettings = { ...defaultSettings, ...given }
  settings.clusterCidrs = clusterCidr === undefined ? [] : typeof clusterCidr === 'string' ? [clusterCidr] : clusterCidr
  if (nodeCidrMaskSize !== undefined) settings.nodeCidrMaskSizeIpv4 = nodeCidrMaskSize
  const chosen = chooseControllers(settings.controllers)
  // Said here, not by a controller that fails again and again.
  for (const cidr of settings.clusterCidrs) void new CidrSet(cidr, cidr.includes(':') ? settings.nodeCidrMaskSizeIpv6 : settings.nodeCidrMaskSizeIpv4)

  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  const end = (): void => ending.abort()
  if (outer?.aborted === true) end()
  outer?.addEventListener('abort', end, { once: true })
  const recorders = new Map<string, EventRecorder>()
  const recorder = (component: string): EventRecorder => {
    const known = recorders.get(component) ?? createEventRecorder({ client, component, clock, logger })
    recorders.set(component, known)
    return known
  }
  const runs = chosen.map(async (controller) => {
    const context: ControllerContext = { client, informers, logger: logger.with({ controller: controller.name }), clock, settings, recorder, queueObserver, signal: ending.signal }
    while (!ending.signal.aborted) {
      try {
        logger.v(1).info('Starting controller', { controller: controller.name })
        return await controller.run(context)
      } catch (error) {
        if (ending.signal.aborted) return
        logger.error(error, 'Controller failed, starting it again', { controller: controller.name })
        await sleep(clock, 5_000, ending.signal).catch(() => {})
      }
    }
  })
  informers.start(ending.signal)
  return {
    name: 'controllers',
    async stop() {
      end()
      outer?.removeEventListener('abort', end)
      await Promise.all(runs)
      await Promise.all([...recorders.values()].map((each) => each.flush()))
    },
  }
}
