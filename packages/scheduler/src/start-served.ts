import { X509Certificate } from 'node:crypto'
import { delegatedAuthentication, delegatedAuthorization, startComponentServer, type KubeClient, type Logger, type RunningPart } from '@berth/kube'
import { Registry } from 'prom-client'
import type { SchedulerConfig } from './config/types.ts'
import { announce } from './explain/announce.ts'
import { explainEndpoints } from './explain/endpoint.ts'
import { ExplainService } from './explain/explain-service.ts'
import { startScheduler } from './start.ts'

/** A scheduler inside another process, which has its certificates; PEM. */
export interface ServedSchedulerOptions {
  readonly client: KubeClient
  readonly config: SchedulerConfig
  readonly logger: Logger
  readonly verbosity: number
  readonly serving: { readonly address: string; readonly port: number; readonly cert: string; readonly key: string; readonly ca: string; readonly clientCa: string }
}

/** Starts a scheduler that decides at once, with metrics, health and answers to questions on a port; its Lease says where. */
export async function startServedScheduler({ client, config, logger, verbosity, serving }: ServedSchedulerOptions): Promise<RunningPart> {
  const scheduler = await startScheduler({ client, config, logger })
  const explain = new ExplainService({ loop: scheduler.loop, config, logger, verbosity })
  const metrics = new Registry()
  metrics.metrics = () => scheduler.loop.metrics()
  const { address, port, cert, key, ca, clientCa } = serving
  const server = await startComponentServer({
    name: 'scheduler', address, port, tls: { cert, key, clientCa }, logger, metrics,
    authenticate: delegatedAuthentication({ client }), authorize: delegatedAuthorization({ client }),
    config: () => ({ componentconfig: config.document }),
    endpoints: { '/metrics/resources': async () => ({ status: 200, contentType: metrics.contentType, body: await scheduler.loop.resources() }), ...explainEndpoints((question) => explain.ask(question)) },
  })
  const serverName = new X509Certificate(cert).subjectAltName?.match(/DNS:([^,\s]+)/)?.[1] ?? ''
  await announce(client, config.leaderElection, { url: `https://${address}:${server.port}`, ca, serverName }).catch((error: unknown) => logger.error(error, 'Cannot say on the lease where questions are answered'))
  return {
    name: 'scheduler',
    async stop() {
      await explain.stop()
      await scheduler.stop()
      await server.close()
    },
  }
}
