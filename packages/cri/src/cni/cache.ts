import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CniError, cniErrorCodes } from './cni-error.ts'
import type { CniResult } from './result.ts'

/** Where libcni keeps results, and so every runtime that uses it. */
export const defaultCacheDirectory = '/var/lib/cni'

/** One attachment as libcni (cniCacheV1) keeps it, so that another runtime can take it down. */
export interface CachedAttachment {
  containerId: string
  networkName: string
  ifName: string
  netns: string
  /** The conflist's text. */
  config: string
  cniArgs: [string, string][]
  capabilityArgs: Record<string, unknown>
  result: CniResult
}

interface CacheFile {
  kind: 'cniCacheV1'
  containerId: string
  /** base64, as Go writes bytes. */
  config: string
  ifName: string
  networkName: string
  netns?: string
  cniArgs?: [string, string][]
  capabilityArgs?: Record<string, unknown>
  result?: CniResult
}

function fileOf(directory: string, attachment: { networkName: string; containerId: string; ifName: string }): string {
  return join(directory, 'results', `${attachment.networkName}-${attachment.containerId}-${attachment.ifName}`)
}

/** Keeps an attachment; it is whole on disk or not there. */
export async function writeCache(directory: string, attachment: CachedAttachment): Promise<void> {
  const path = fileOf(directory, attachment)
  const { config, ...rest } = attachment
  const file: CacheFile = { kind: 'cniCacheV1', ...rest, config: Buffer.from(config).toString('base64') }
  await mkdir(join(directory, 'results'), { recursive: true, mode: 0o700 })
  // The dot keeps a half-written file out of every listing by name.
  const temporary = join(directory, 'results', `.${attachment.containerId}-${attachment.ifName}.tmp`)
  await writeFile(temporary, JSON.stringify(file), { mode: 0o600 })
  await rename(temporary, path)
}

/** The attachment of a container to a network, or undefined where none is kept. Throws CniError where the file is damaged. */
export async function readCache(directory: string, of: { networkName: string; containerId: string; ifName: string }): Promise<CachedAttachment | undefined> {
  const path = fileOf(directory, of)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? undefined : decode(path, text)
}

/** All attachments of a container, whatever the network was called when it was attached; without a container all that are kept. Of all, files that are damaged are passed over. */
export async function findCached(directory: string, containerId?: string): Promise<CachedAttachment[]> {
  const folder = join(directory, 'results')
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  })
  const found: CachedAttachment[] = []
  for (const name of names) {
    if (name.startsWith('.') || (containerId !== undefined && !name.includes(`-${containerId}-`))) continue
    const path = join(folder, name)
    try {
      const attachment = decode(path, await readFile(path, 'utf8'))
      if (containerId === undefined || attachment.containerId === containerId) found.push(attachment)
    } catch (error) {
      if (containerId !== undefined) throw error
    }
  }
  return found
}

/** Forgets an attachment; one that is not kept is fine. */
export async function removeCache(directory: string, of: { networkName: string; containerId: string; ifName: string }): Promise<void> {
  await rm(fileOf(directory, of), { force: true })
}

function decode(path: string, text: string): CachedAttachment {
  try {
    const file = JSON.parse(text) as CacheFile
    if (file.kind !== 'cniCacheV1') throw new Error(`kind ${JSON.stringify(file.kind)} is not cniCacheV1`)
    return {
      containerId: file.containerId,
      networkName: file.networkName,
      ifName: file.ifName,
      netns: file.netns ?? '',
      config: Buffer.from(file.config, 'base64').toString('utf8'),
      cniArgs: file.cniArgs ?? [],
      capabilityArgs: file.capabilityArgs ?? {},
      result: file.result ?? { cniVersion: '0.3.0' },
    }
  } catch (error) {
    throw new CniError(cniErrorCodes.decodingFailure, `${path} is damaged: ${(error as Error).message}`, '', { cause: error })
  }
}
