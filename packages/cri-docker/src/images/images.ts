import { type AuthConfig, CriError, type Image, type ImageFilter, type ImageStatusResponse, type Init } from '@berth/cri'
import type Docker from 'dockerode'
import { attempt, engineMessage, engineStatus } from '../errors.ts'
import { pauseRepository } from '../sandbox/pause-image.ts'
import type { Shim } from '../shim.ts'
import { parseReference, wholeName } from './reference.ts'

const none = '<none>'

function named(names: readonly string[] | null | undefined): string[] {
  return (names ?? []).filter((name) => !name.includes(none)).map(wholeName)
}

/** Docker's `User` of an image as CRI has it: a number, or a name. */
function userOf(text: string | undefined): Pick<Init<Image>, 'uid' | 'username'> {
  const user = text?.split(':')[0] ?? ''
  if (user === '') return {}
  return /^\d+$/.test(user) ? { uid: { value: BigInt(user) } } : { username: user }
}

/** The sandboxes' own image is in use even while none runs: kubelets must not collect it. */
function isPinned(names: readonly string[]): boolean {
  return names.some((name) => name.includes(`${pauseRepository}:`))
}

/** ListImages. */
export async function listImages(shim: Shim, filter: ImageFilter | undefined): Promise<Init<Image>[]> {
  const wanted = filter?.image?.image ?? ''
  if (wanted !== '') {
    const { image } = await imageStatus(shim, wanted, false)
    return image ? [image] : []
  }
  const images = await attempt('failed to list images', () => shim.engine.docker.listImages())
  return images.map(({ Id, RepoTags, RepoDigests, Size }) => {
    const repoTags = named(RepoTags)
    return { id: Id, repoTags, repoDigests: named(RepoDigests), size: BigInt(Size), spec: { image: Id }, pinned: isPinned(repoTags) }
  })
}

/** ImageStatus, by name or id; an image that is not there is an answer without one. */
export async function imageStatus(shim: Shim, name: string, verbose: boolean): Promise<Init<ImageStatusResponse>> {
  const inspected = await inspect(shim, name)
  if (!inspected) return {}
  const repoTags = named(inspected.RepoTags)
  return {
    image: {
      id: inspected.Id,
      repoTags,
      repoDigests: named(inspected.RepoDigests),
      size: BigInt(inspected.Size),
      ...userOf(inspected.Config?.User),
      spec: { image: inspected.Id },
      pinned: isPinned(repoTags),
    },
    info: verbose ? { info: JSON.stringify({ imageSpec: { architecture: inspected.Architecture, os: inspected.Os, config: inspected.Config } }) } : {},
  }
}

async function inspect(shim: Shim, name: string): Promise<Docker.ImageInspectInfo | undefined> {
  if (name === '') throw new CriError('InvalidArgument', 'image.image: is required')
  try {
    return await shim.engine.docker.getImage(name).inspect()
  } catch (error) {
    if (engineStatus(error) === 404) return undefined
    // What cannot be a name is no image either.
    if (engineStatus(error) === 400) throw new CriError('InvalidArgument', `image.image: ${JSON.stringify(name)} is not a valid reference`, { cause: error })
    return attempt(`failed to inspect image ${JSON.stringify(name)}`, () => Promise.reject(error))
  }
}

/**
 * PullImage. Gives the image's id, by which containers are created. A pull whose caller goes away is cancelled, and so is one that makes no progress for as long as the shim is told to
 * wait (DeadlineExceeded).
 */
export async function pullImage(shim: Shim, name: string, auth: AuthConfig | undefined, signal: AbortSignal): Promise<string> {
  const reference = parseReference(name)
  if (!reference) throw new CriError('InvalidArgument', `failed to pull image ${JSON.stringify(name)}: invalid reference format`)
  const authconfig = auth && dockerAuth(auth, reference.domain)
  const failed = `failed to pull image ${JSON.stringify(name)}`
  // Cutting the connection is what cancels the Engine's pull.
  const cancel = new AbortController()
  const stalled = setTimeout(() => cancel.abort(new CriError('DeadlineExceeded', `${failed}: no progress for ${shim.pullProgressMs / 1000}s`)), shim.pullProgressMs)
  const gone = (): void => cancel.abort(new CriError('Canceled', `${failed}: its caller has gone`))
  if (signal.aborted) gone()
  signal.addEventListener('abort', gone, { once: true })
  try {
    const stream = (await shim.engine.docker.pull(wholeName(name), { ...(authconfig ? { authconfig } : {}), abortSignal: cancel.signal })) as NodeJS.ReadableStream
    await new Promise<void>((resolve, reject) =>
      shim.engine.docker.modem.followProgress(
        stream,
        (error) => (error ? reject(error) : resolve()),
        () => stalled.refresh(),
      ),
    )
  } catch (error) {
    throw cancel.signal.aborted ? (cancel.signal.reason as CriError) : pullError(failed, error)
  } finally {
    clearTimeout(stalled)
    signal.removeEventListener('abort', gone)
  }
  const inspected = await inspect(shim, name)
  if (!inspected) throw new CriError('NotFound', `${failed}: it was removed right after`)
  return inspected.Id
}

/** What the Engine takes of the credentials that CRI can carry: name and password, both in one, or a token. */
function dockerAuth(auth: AuthConfig, domain: string): Record<string, string> {
  const serveraddress = auth.serverAddress || domain
  if (auth.identityToken !== '') return { identitytoken: auth.identityToken, serveraddress }
  if (auth.registryToken !== '') return { registrytoken: auth.registryToken, serveraddress }
  if (auth.username !== '' || auth.password !== '') return { username: auth.username, password: auth.password, serveraddress }
  if (auth.auth === '') return { serveraddress }
  const decoded = Buffer.from(auth.auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = decoded.indexOf(':')
  if (colon < 0) throw new CriError('InvalidArgument', 'auth.auth: is not base64 of name:password')
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1), serveraddress }
}

/** The Engine's words of a failed pull, with the code that tells a missing image from a refused or unreachable one. */
export function pullError(failed: string, error: unknown): CriError {
  if (error instanceof CriError) return error
  const message = engineMessage(error)
  const status = engineStatus(error)
  const text = `${failed}: ${message}`
  if (/unauthorized|denied|authentication required|no basic auth/i.test(message)) return new CriError('Unauthenticated', text, { cause: error })
  if (status === 404 || /not found|manifest unknown|does not exist|no matching manifest/i.test(message)) return new CriError('NotFound', text, { cause: error })
  if (/connection refused|no such host|timeout|i\/o|unreachable|EOF|server misbehaving|deadline/i.test(message)) return new CriError('Unavailable', text, { cause: error })
  return new CriError('Unknown', text, { cause: error })
}

/** RemoveImage: the image with all its names, whichever was given. One that is gone is fine; one in use is FailedPrecondition. Calls for one image wait for each other. */
export async function removeImage(shim: Shim, name: string): Promise<void> {
  const found = await inspect(shim, name)
  if (!found) return
  await shim.locks.run(`image ${found.Id}`, async () => {
    const inspected = await inspect(shim, found.Id)
    if (!inspected) return
    await attempt(`failed to remove image ${JSON.stringify(name)}`, async () => {
      // Docker does not remove an image with several names by its id: each name goes by itself, the image with the last one.
      for (const target of [...(inspected.RepoTags ?? []), inspected.Id]) if (!target.includes(none)) await removeName(shim, target)
    })
  })
}

/** What somebody else removes at the same time, the Engine tells in several ways. */
async function removeName(shim: Shim, target: string): Promise<void> {
  try {
    await shim.engine.docker.getImage(target).remove()
  } catch (error) {
    if (engineStatus(error) !== 404 && !/unrecognized image ID|No such image/i.test(engineMessage(error))) throw error
  }
}
