import { existsSync } from 'node:fs'
import { coordination } from '@berth/api'
import { createClient, errorOf, isNotFound, kubeconfigPaths, loadKubeconfig, readText, transportOf, type KubeClient, type KubeconfigChoice, type Logger } from '@berth/kube'
import { announcedBy, explainPath, type Announced, type Answer, type Question } from '@berth/scheduler/explain'
import { ExplainUnavailable } from '../errors.ts'
import { layoutOf } from '../instance/layout.ts'

/** Something that answers questions about placements. */
export interface Oracle {
  ask(question: Question): Promise<Answer>
  close(): Promise<void>
}

export interface ClusterChoice {
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly dataDir: string
}

/** The kubeconfig's files: the one given, $KUBECONFIG, that of the cluster of `berth up` where there is one, ~/.kube/config. */
export function kubeconfigFiles({ kubeconfig, dataDir }: ClusterChoice): string[] {
  const own = layoutOf(dataDir).kubeconfig
  if (kubeconfig === undefined && !process.env['KUBECONFIG'] && existsSync(own)) return [own]
  const files = kubeconfigPaths(kubeconfig)
  if (files.length === 0) throw new ExplainUnavailable('there is no kubeconfig: name one by --kubeconfig or KUBECONFIG')
  return files
}

/** The client of the chosen cluster, and what it was made of. */
export async function clusterOf(cluster: ClusterChoice): Promise<{ client: KubeClient; choice: KubeconfigChoice; files: string[]; close(): Promise<void> }> {
  const files = kubeconfigFiles(cluster)
  const choice = await loadKubeconfig(files, cluster.context)
  const transport = await transportOf(choice)
  return { client: createClient(transport, { userAgent: 'berth' }), choice, files, close: () => transport.close() }
}

const dialMs = 3000

/** Finds the cluster's scheduler by its Lease and asks it, directly or through its pod, as the kubeconfig's user. */
export async function schedulerOracle(cluster: ClusterChoice, lease: string, logger: Logger): Promise<Oracle> {
  const { client, choice, files, close } = await clusterOf(cluster)
  const [namespace = '', name = ''] = lease.split('/')
  try {
    const announced = announcedBy(await client.get(coordination.leases, name, { namespace }))
    if (!announced) throw new ExplainUnavailable(`the scheduler that holds the Lease ${lease} does not say where it answers questions: it is not Berth's. --offline computes the answer here`)
    return await reach(announced, choice, files, cluster.context, logger)
  } catch (error) {
    if (isNotFound(error)) throw new ExplainUnavailable(`there is no Lease ${lease}, so no scheduler to ask; --lease names another one, --offline computes the answer here`, { cause: error })
    throw error
  } finally {
    await close()
  }
}

async function reach(announced: Announced, choice: KubeconfigChoice, files: readonly string[], context: string | undefined, logger: Logger): Promise<Oracle> {
  const { url, ca, serverName, pod } = announced
  const at = (server: string): KubeconfigChoice => ({
    ...choice,
    cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64'), ...(serverName === '' ? {} : { 'tls-server-name': serverName }) },
  })
  const direct = await transportOf(at(url))
  try {
    const response = await direct.request({ method: 'GET', path: '/livez', signal: AbortSignal.timeout(dialMs) })
    await readText(response.body)
    return oracleOver(direct)
  } catch (error) {
    await direct.close()
    if (pod === undefined) throw new ExplainUnavailable(`the scheduler does not answer at ${url}: ${(error as Error).message}`, { cause: error })
    logger.v(1).info('The scheduler is not reached at its address; going through its pod', { url, pod })
  }
  const { forwardTo } = await import('./forward.ts')
  const forwarded = await forwardTo(pod, Number(new URL(url).port), files, context)
  return oracleOver(await transportOf(at(`https://127.0.0.1:${forwarded.port}`)), () => forwarded.close())
}

function oracleOver(transport: Awaited<ReturnType<typeof transportOf>>, release?: () => void): Oracle {
  return {
    async ask(question) {
      const { ask, ...rest } = question
      const body = JSON.stringify(question.ask === 'what-if' ? question.request : rest)
      const response = await transport.request({ method: 'POST', path: `${explainPath}/${ask}`, headers: { 'content-type': 'application/json' }, body })
      if (response.status !== 200) throw await errorOf(response)
      return JSON.parse(await readText(response.body)) as Answer
    },
    async close() {
      await transport.close()
      release?.()
    },
  }
}
