import { apiVersionOf, type ResourceInfo } from '@berth/api'
import { readText, sleep, type Clock, type KubeClient, type Logger } from '@berth/kube'
import { resourceKey } from '../framework/resource-key.ts'

/** How long until what is not served is asked about again; milliseconds. */
const askAgainMs = 30_000

/** The plurals that a group version serves (its discovery document); none where there is no such version. */
async function pluralsOf(client: KubeClient, groupVersion: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const path = groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`
  const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' }, signal })
  const text = await readText(response.body)
  if (response.status === 404 || response.status === 403) return new Set()
  if (response.status !== 200) throw new Error(`GET ${path}: ${response.status}`)
  const { resources = [] } = JSON.parse(text) as { resources?: Array<{ name: string }> }
  return new Set(resources.map(({ name }) => name))
}

/**
 * Calls `open` once for each resource, as soon as the API serves it. Resolves when all have been asked about once; what
 * was not served then is asked about again until the signal aborts. An API that does not answer is waited for.
 */
export async function whenServed(
  resources: readonly ResourceInfo[],
  open: (resource: ResourceInfo) => void,
  { client, clock, logger }: { client: KubeClient; clock: Clock; logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  let missing = [...resources]
  const ask = async (): Promise<void> => {
    const versions = new Map<string, Promise<ReadonlySet<string>>>()
    const still: ResourceInfo[] = []
    for (const resource of missing) {
      const version = apiVersionOf(resource)
      const plurals = versions.get(version) ?? pluralsOf(client, version, signal)
      versions.set(version, plurals)
      if ((await plurals).has(resource.resource)) open(resource)
      else still.push(resource)
    }
    missing = still
  }
  const keepAsking = async (): Promise<void> => {
    while (missing.length > 0) {
      await sleep(clock, askAgainMs, signal)
      await ask().catch((error: unknown) => logger.v(2).info('Cannot ask what the API serves', { err: error }))
    }
  }
  for (;;) {
    try {
      await ask()
      break
    } catch (error) {
      signal.throwIfAborted()
      logger.warn('Cannot ask what the API serves', { err: error })
      await sleep(clock, 1000, signal)
    }
  }
  if (missing.length > 0) logger.v(1).info('The API does not serve these kinds; they are watched once it does', { kinds: missing.map(resourceKey).join(', ') })
  // It ends by the signal alone.
  keepAsking().catch(() => undefined)
}
