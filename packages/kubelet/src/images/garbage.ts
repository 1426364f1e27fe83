import { statfs } from 'node:fs/promises'
import type { Image } from '@berth/cri'
import { messageOf } from '../errors.ts'
import { ignoreNotFound } from '../runtime/read.ts'
import type { WorkerContext } from '../workers/context.ts'

export interface ImageGarbageInput {
  images: readonly Image[]
  /** IDs or references that containers use. */
  used: ReadonlySet<string>
  /** When each image was first seen and last used here (ms). */
  seen: ReadonlyMap<string, { detected: number; lastUsed: number }>
  now: number
  minimumAgeMs: number
  /** 0: no bound. */
  maximumAgeMs: number
  /** Bytes to give back; 0 when the disk is not full. */
  bytesToFree: bigint
}

/** Which images to remove: those unused for too long, then the longest unused until enough would be free. Pinned and young ones stay. */
export function planImageGarbage(input: ImageGarbageInput): string[] {
  const candidates = input.images
    .filter((i) => !i.pinned && ![i.id, ...i.repoTags, ...i.repoDigests].some((r) => input.used.has(r)))
    .map((image) => ({ image, ...(input.seen.get(image.id) ?? { detected: input.now, lastUsed: 0 }) }))
    .toSorted((a, b) => a.lastUsed - b.lastUsed || a.detected - b.detected)
  const remove: string[] = []
  let freed = 0n
  for (const c of candidates) {
    const old = input.maximumAgeMs > 0 && input.now - Math.max(c.lastUsed, c.detected) > input.maximumAgeMs
    const young = input.now - c.detected < input.minimumAgeMs
    if (old || (freed < input.bytesToFree && !young)) {
      remove.push(c.image.id)
      freed += c.image.size
    }
  }
  return remove
}

const seenOf = new WeakMap<WorkerContext, Map<string, { detected: number; lastUsed: number }>>()

/** Removes unused images when their disk is fuller than the high threshold, down to the low one. */
export async function collectImages(context: WorkerContext): Promise<void> {
  const { cri, settings, clock, logger, recorder } = context
  const [{ images }, { containers }, fs] = await Promise.all([cri.listImages({}), cri.listContainers({}), cri.imageFsInfo({}).catch(() => undefined)])
  const now = clock.now()
  const used = new Set(containers.flatMap((c) => [c.imageRef, c.imageId, c.image?.image ?? '']).filter((r) => r !== ''))
  const seen = seenOf.get(context) ?? new Map<string, { detected: number; lastUsed: number }>()
  seenOf.set(context, seen)
  for (const image of images) {
    const entry = seen.get(image.id) ?? { detected: now, lastUsed: 0 }
    const isUsed = [image.id, ...image.repoTags, ...image.repoDigests].some((r) => used.has(r))
    seen.set(image.id, { ...entry, lastUsed: isUsed ? now : Math.max(entry.lastUsed, context.images.lastUsed.get(image.id) ?? 0) })
  }
  for (const id of seen.keys()) if (!images.some((i) => i.id === id)) seen.delete(id)
  const mountpoint = fs?.imageFilesystems[0]?.fsId?.mountpoint
  const stats = await statfs(mountpoint || settings.rootDir, { bigint: true }).catch(() => statfs(settings.rootDir, { bigint: true }))
  const capacity = stats.blocks * stats.bsize
  const available = stats.bavail * stats.bsize
  const usedPercent = capacity > 0n ? 100n - (available * 100n) / capacity : 0n
  const bytesToFree = usedPercent >= BigInt(settings.imageGcHighPercent) ? (capacity * BigInt(100 - settings.imageGcLowPercent)) / 100n - available : 0n
  const remove = planImageGarbage({ images, used, seen, now, minimumAgeMs: settings.imageMinimumGcAgeMs, maximumAgeMs: settings.imageMaximumGcAgeMs, bytesToFree })
  for (const image of remove) {
    logger.info('Image garbage collection: removing image', { image, usedPercent: String(usedPercent) })
    await ignoreNotFound(cri.removeImage({ image: { image } })).catch((error: unknown) => logger.v(1).info('Failed to remove image', { image, err: messageOf(error) }))
  }
  if (bytesToFree > 0n && remove.length === 0)
    recorder.event({ apiVersion: 'v1', kind: 'Node', name: settings.nodeName, uid: settings.nodeName }, 'Warning', 'FreeDiskSpaceFailed', `Failed to garbage collect required amount of images. Attempted to free ${bytesToFree} bytes, but only found 0 bytes eligible to free.`)
}
