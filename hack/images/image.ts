import fs from 'node:fs'
import { pack } from 'tar-stream'
import { digestOf, type Layer } from './layer.ts'

const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
}

/** What a container of the image runs, and as whom. */
export interface ImageConfig {
  readonly User: string
  readonly Entrypoint: readonly string[]
  readonly Env: readonly string[]
  readonly WorkingDir: string
  readonly Labels: Readonly<Record<string, string>>
}

/** An image by the OCI image specification 1.0: all blobs, and the manifest that names them. */
export interface Image {
  readonly manifest: Buffer
  readonly mediaType: string
  readonly digest: string
  readonly config: Buffer
  readonly layers: readonly Layer[]
}

/** Puts layers and a config together. Nothing in the result tells when or where it was made. */
export function imageOf(layers: readonly Layer[], config: ImageConfig, architecture: string): Image {
  const configBytes = Buffer.from(JSON.stringify({
    created: new Date(0).toISOString(), architecture, os: 'linux', config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
  }))
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: types.manifest,
    config: { mediaType: types.config, digest: digestOf(configBytes), size: configBytes.length },
    layers: layers.map((layer) => ({ mediaType: types.layer, digest: layer.digest, size: layer.bytes.length })),
  }))
  return { manifest, mediaType: types.manifest, digest: digestOf(manifest), config: configBytes, layers }
}

/** Writes an archive that `docker load`, `ctr images import` and `berth image load` read: an OCI layout with docker's manifest.json beside it. */
export async function writeArchive(image: Image, reference: string, file: string): Promise<void> {
  const blob = (digest: string): string => `blobs/sha256/${digest.slice('sha256:'.length)}`
  const entries: Record<string, Buffer> = { 'oci-layout': Buffer.from('{"imageLayoutVersion":"1.0.0"}') }
  entries['index.json'] = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    manifests: [{ mediaType: image.mediaType, digest: image.digest, size: image.manifest.length, annotations: { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1) } }],
  }))
  entries['manifest.json'] = Buffer.from(JSON.stringify([{ Config: blob(digestOf(image.config)), RepoTags: [reference], Layers: image.layers.map((layer) => blob(layer.digest)) }]))
  entries[blob(image.digest)] = image.manifest
  entries[blob(digestOf(image.config))] = image.config
  for (const layer of image.layers) entries[blob(layer.digest)] = layer.bytes

  const tar = pack()
  const written = new Promise<void>((resolve, reject) => { tar.pipe(fs.createWriteStream(file)).on('finish', resolve).on('error', reject) })
  for (const [name, bytes] of Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1))) tar.entry({ name, mode: 0o644, mtime: new Date(0) }, bytes)
  tar.finalize()
  await written
}
