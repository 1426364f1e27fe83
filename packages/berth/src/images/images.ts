import { spawn } from 'node:child_process'
import fs from 'node:fs'
import type Docker from 'dockerode'
import { InstanceError } from '../errors.ts'

interface BuildEvent { stream?: string; error?: string }

function follow(docker: Docker, stream: NodeJS.ReadableStream, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: string | undefined
    docker.modem.followProgress(
      stream,
      (error: Error | null) => {
        if (error) reject(new InstanceError(error.message, { cause: error }))
        else if (failure) reject(new InstanceError(failure))
        else resolve()
      },
      (event: BuildEvent) => {
        if (event.error) failure = event.error
        if (event.stream?.trim()) onLine(event.stream.trim())
      },
    )
  })
}

/** Loads an image archive (the form that `docker save` writes) into the Engine; gives the Engine's lines to `onLine`. */
export async function loadImage(docker: Docker, file: string, onLine: (line: string) => void): Promise<void> {
  if (!fs.existsSync(file)) throw new InstanceError(`${file}: there is no such file`)
  await follow(docker, await docker.loadImage(fs.createReadStream(file)), onLine)
}

/** Builds an image of a folder with a Dockerfile and gives it a name. A build has no network. */
export async function buildImage(docker: Docker, directory: string, options: { tag: string; dockerfile?: string | undefined; onLine: (line: string) => void }): Promise<void> {
  const dockerfile = options.dockerfile ?? 'Dockerfile'
  if (!fs.existsSync(`${directory}/${dockerfile}`)) throw new InstanceError(`${directory}: there is no ${dockerfile} in it`)
  const tar = spawn('tar', ['-C', directory, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const stream = await docker.buildImage(tar.stdout, { t: options.tag, dockerfile, networkmode: 'none', rm: true, forcerm: true })
  await follow(docker, stream, options.onLine)
}

/** An image as `berth image list` shows it. */
export interface ImageRow { readonly reference: string; readonly id: string; readonly bytes: number }

/** The images that pods can use, one row a name. */
export async function listImages(docker: Docker): Promise<ImageRow[]> {
  const images = await docker.listImages()
  return images
    .flatMap((image) => (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>').map((reference) => ({ reference, id: image.Id, bytes: image.Size })))
    .sort((a, b) => a.reference.localeCompare(b.reference))
}
