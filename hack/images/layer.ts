import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'
import { pack } from 'tar-stream'

/** One layer of an image: the gzipped bytes, and the digests that a manifest (of the gzip) and a config (of the tar in it) name. */
export interface Layer {
  readonly bytes: Buffer
  readonly digest: string
  readonly diffId: string
}

/** The content address of bytes, as registries write it. */
export function digestOf(bytes: Buffer | string): string {
  return `sha256:${crypto.createHash('sha256').update(bytes).digest('hex')}`
}

function walk(root: string, below = ''): string[] {
  return fs.readdirSync(path.join(root, below)).sort().flatMap((name) => {
    const relative = path.posix.join(below, name)
    return [relative, ...(fs.lstatSync(path.join(root, relative)).isDirectory() ? walk(root, relative) : [])]
  })
}

/**
 * A folder as a layer. The same files give the same bytes on every machine and day: entries in the order of their names, all of root's, of
 * time zero, and without the marks that depend on the umask of whoever unpacked them.
 */
export async function layerOf(root: string): Promise<Layer> {
  const tar = pack()
  const chunks: Buffer[] = []
  tar.on('data', (chunk) => { chunks.push(chunk as Buffer) })
  const ended = new Promise<void>((resolve, reject) => { tar.on('end', resolve).on('error', reject) })
  for (const name of walk(root)) {
    const file = path.join(root, name)
    const stat = fs.lstatSync(file)
    const common = { name, uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0) }
    if (stat.isDirectory()) tar.entry({ ...common, type: 'directory', mode: stat.mode & 0o1000 ? 0o1777 : 0o755 })
    else if (stat.isSymbolicLink()) tar.entry({ ...common, type: 'symlink', mode: 0o777, linkname: fs.readlinkSync(file) })
    else if (stat.isFile()) tar.entry({ ...common, type: 'file', mode: stat.mode & 0o111 ? 0o755 : 0o644 }, fs.readFileSync(file))
    else throw new Error(`${file}: a layer holds folders, files and links`)
  }
  tar.finalize()
  await ended
  const plain = Buffer.concat(chunks)
  const bytes = zlib.gzipSync(plain, { level: 6 })
  return { bytes, digest: digestOf(bytes), diffId: digestOf(plain) }
}
