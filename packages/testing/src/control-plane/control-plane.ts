import { knowsFeature as apiKnows, parseApiServerFlags, startApiServer, type ApiServer, type StartOptions } from '@berth/apiserver'
import { startControllers } from '@berth/controllers'
import { createClient, createInformers, type Informers, type KubeClient, type Logger, type RequestUser, type RunningPart, type Transport } from '@berth/kube'
import { checkSchedulerConfig, knowsFeature as schedulerKnows, startScheduler } from '@berth/scheduler'

/** Beside the range of Services (10.96.0.0/16): room for 32,768 nodes. */
const clusterCidr = '10.128.0.0/9'

export interface ControlPlaneOptions {
  readonly flags: readonly string[]
  readonly featureGates: Readonly<Record<string, boolean>>
  readonly dataDir: string | undefined
  /** As kube-controller-manager's --controllers; empty: none run. */
  readonly controllers: readonly string[]
  readonly scheduler: Readonly<Record<string, unknown>> | undefined
  readonly logger: Logger
}

export interface ControlPlane {
  readonly api: ApiServer
  /** A client of the process's own, as somebody; it is refused once the control plane is stopped. */
  clientOf(user: RequestUser, userAgent: string): KubeClient
  /** Shared by everything of this cluster that follows objects. */
  readonly informers: Informers
  /** Resolves once the server says that it is ready. */
  whenReady(): Promise<void>
  /** Controllers and scheduler stop: what is taken away from now on stays away. */
  stopParts(): Promise<void>
  stop(): Promise<void>
}

/** Starts API server, controllers and scheduler in this process; resolves once the server listens. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { logger } = options
  const unknown = Object.keys(options.featureGates).find((name) => !apiKnows(name) && !schedulerKnows(name))
  if (unknown !== undefined) throw new Error(`unrecognized feature gate: ${unknown}`)
  const config = options.scheduler && await checkSchedulerConfig(options.scheduler, chosen(options.featureGates, schedulerKnows))
  const api = await startApiServer({ ...settingsOf(options), logger: logger.with({ part: 'apiserver' }) })
  const parts: RunningPart[] = []
  const transports: Transport[] = []
  const clientOf = (user: RequestUser, userAgent: string): KubeClient => {
    const transport = api.clientFor({ ...user, groups: [...user.groups, 'system:authenticated'] })
    transports.push(transport)
    return createClient(transport, { userAgent })
  }
  const ending = new AbortController()
  const stopParts = async (): Promise<void> => {
    await Promise.all(parts.splice(0).map((part) => part.stop()))
  }
  const stop = async (): Promise<void> => {
    ending.abort()
    await stopParts()
    await Promise.all(transports.map((transport) => transport.close()))
    await api.stop()
  }
  try {
    const client = clientOf({ name: 'system:kube-controller-manager', groups: ['system:masters'] }, 'kube-controller-manager')
    const informers = createInformers(client, { logger })
    informers.start(ending.signal)
    const ready = api.whenReady()
    if (options.controllers.length > 0) {
      const { authority, servingCa, serviceAccountSigningKey: serviceAccountPrivateKey } = api.certificates
      parts.push(await startControllers({ client, informers, logger: logger.with({ part: 'controllers' }), controllers: options.controllers, clusterCidr, rootCa: servingCa, signingCa: authority, serviceAccountPrivateKey }))
    }
    return {
      api, informers, clientOf,
      async whenReady() {
        await ready
        // Its rights are there by now: refused, it would wait before it asks again.
        if (config && !ending.signal.aborted) parts.push(await startScheduler({ client: clientOf({ name: 'system:kube-scheduler', groups: [] }, 'kube-scheduler'), config, logger: logger.with({ part: 'scheduler' }) }))
      },
      stopParts, stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function chosen(gates: Readonly<Record<string, boolean>>, knows: (name: string) => boolean): Record<string, boolean> {
  return Object.fromEntries(Object.entries(gates).filter(([name]) => knows(name)))
}

/** What a server in a test has where its flags do not say otherwise; flags that are given later win. */
function settingsOf({ flags, featureGates, dataDir = ':memory:' }: ControlPlaneOptions): StartOptions {
  return parseApiServerFlags([`--data-dir=${dataDir}`, '--secure-port=0', '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', '--allow-privileged=true', ...Object.entries(chosen(featureGates, apiKnows)).map(([name, on]) => `--feature-gates=${name}=${on}`), ...flags])
}
