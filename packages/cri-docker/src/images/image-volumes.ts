import { execFile } from 'node:child_process'
import { access, mkdir, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CriError, type Mount } from '@berth/cri'
import { unmount } from '@berth/native'
import type { Engine } from '../engine/connect.ts'
import { attempt, engineStatus, tolerate } from '../errors.ts'

const run = promisify(execFile)

/** How long the Engine may take to remove a container that never ran. */
const holderGoneMs = 30_000

/** Docker's own mounts of images came with API 1.48 (Docker 28). */
const withImageMounts = '1.48'

/** An image that is to be seen inside a container, as the Engine is told. */
export type ImageMountSource = { kind: 'image'; image: string; subPath: string } | { kind: 'directory'; directory: string }

/**
 * Image volumes: the Engine's own where it has them; else the shim mounts the image's layers below the sandbox's directory, once for all containers of the sandbox, and holds the
 * image by a container that is never started. Throws CriError naming the field.
 */
export async function imageMountSource(engine: Engine, mount: Mount, index: number, sandboxDirectory: string): Promise<ImageMountSource> {
  const refuse = (field: string, reason: string): never => {
    throw new CriError('InvalidArgument', `mounts[${index}].${field}: ${reason}`)
  }
  const { image, readonly, hostPath, imageSubPath: subPath } = mount
  if (!image || image.image === '') return refuse('image.image', 'is required')
  if (!readonly) refuse('readonly', 'an image volume must be read-only')
  if (hostPath !== '') refuse('host_path', 'an image volume has none')
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) refuse('image_sub_path', `${JSON.stringify(subPath)} is not a path inside the image`)
  if (engine.speaks(withImageMounts)) return { kind: 'image', image: image.image, subPath }
  const root = await attempt(`mounts[${index}].image: cannot mount ${JSON.stringify(image.image)}`, () => mountImage(engine, image.image, sandboxDirectory))
  const inside = await realpath(join(root, subPath)).catch(() => refuse('image_sub_path', `${JSON.stringify(subPath)} does not exist in the image`))
  // A link of the image's must not lead to the node's own files.
  if (inside !== root && !inside.startsWith(`${root}/`)) refuse('image_sub_path', `${JSON.stringify(subPath)} leads out of the image`)
  return { kind: 'directory', directory: inside }
}

const folderOf = (sandboxDirectory: string): string => join(sandboxDirectory, 'images')
/** Marks a mount that is whole. */
const readyFile = (sandboxDirectory: string, name: string): string => join(folderOf(sandboxDirectory), `.${name}.ready`)
const holderName = (sandboxDirectory: string, name: string): string => `berth-volume-${basename(sandboxDirectory)}-${name}`

async function mountImage(engine: Engine, image: string, sandboxDirectory: string): Promise<string> {
  const { Id } = await engine.docker.getImage(image).inspect()
  const name = Id.replace(/^sha256:/, '').slice(0, 24)
  const target = join(folderOf(sandboxDirectory), name)
  if (await exists(readyFile(sandboxDirectory, name))) return target
  await releaseImage(engine, sandboxDirectory, name)
  // The directory comes first: by it whoever cleans up finds the container that holds the image.
  await mkdir(join(folderOf(sandboxDirectory), '.empty'), { recursive: true })
  await mkdir(target, { recursive: true })
  const holder = await engine.docker.createContainer({ name: holderName(sandboxDirectory, name), Image: Id, Entrypoint: ['/none'], NetworkDisabled: true, HostConfig: { LogConfig: { Type: 'none', Config: {} } } })
  const { GraphDriver } = await holder.inspect()
  const lower = (GraphDriver?.Data as { LowerDir?: string } | null)?.LowerDir
  if (GraphDriver?.Name !== 'overlay2' || lower === undefined) {
    await releaseImage(engine, sandboxDirectory, name)
    throw new CriError('Unimplemented', `image volumes with the storage driver ${GraphDriver?.Name ?? 'unknown'} need Docker 28, this is ${engine.version}`)
  }
  await mountLayers(lower, join(folderOf(sandboxDirectory), '.empty'), target)
  await mkdir(readyFile(sandboxDirectory, name))
  return target
}

/**
 * Mounts a container's lower directories read-only, without the first, which is what the Engine adds to the image. overlay2's short names keep as many layers as an image can have
 * within the one page that the kernel takes; an overlay without a writable layer needs two, hence the empty one.
 */
async function mountLayers(lower: string, empty: string, target: string): Promise<void> {
  const layers = lower.split(':').slice(1)
  const names = await Promise.all(layers.map(async (layer) => join('l', (await readFile(join(dirname(layer), 'link'), 'utf8')).trim())))
  await run('mount', ['-t', 'overlay', '-o', `ro,lowerdir=${[...names, empty].join(':')}`, 'berth-image', target], { cwd: dirname(dirname(layers[0] ?? '')) })
}

async function releaseImage(engine: Engine, sandboxDirectory: string, name: string): Promise<void> {
  await rm(readyFile(sandboxDirectory, name), { recursive: true, force: true })
  await unmount(join(folderOf(sandboxDirectory), name), { lazy: true })
  const holder = engine.docker.getContainer(holderName(sandboxDirectory, name))
  await tolerate([404], async () => {
    try {
      await holder.remove({ force: true })
    } catch (error) {
      if (engineStatus(error) !== 409) throw error
      // Somebody else is removing it: the image is free when that is done.
      await holder.wait({ condition: 'removed', abortSignal: AbortSignal.timeout(holderGoneMs) })
    }
  })
}

/** Unmounts a sandbox's image volumes and lets the images go. Level-triggered; costs nothing where there are none. */
export async function releaseImages(engine: Engine, sandboxDirectory: string): Promise<void> {
  const names = await readdir(folderOf(sandboxDirectory)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  })
  for (const name of names) if (!name.startsWith('.')) await releaseImage(engine, sandboxDirectory, name)
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
