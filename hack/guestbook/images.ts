import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { addBusybox, makeRootfs } from './rootfs.ts'

const root = path.resolve(import.meta.dirname, '../..')
const examples = path.join(root, 'examples/guestbook')

/** Small tools that are of use in `kubectl exec` and `kubectl cp`. */
const tools = ['sh', 'cat', 'chmod', 'date', 'dd', 'echo', 'env', 'false', 'grep', 'head', 'hostname', 'id', 'ip', 'kill', 'ls', 'mkdir', 'mount', 'nc', 'nslookup', 'printf', 'ps', 'rm', 'sed', 'sleep', 'stat', 'stty', 'tail', 'tar', 'test', 'touch', 'true', 'wc', 'wget', 'yes']

/** An image that the example needs: its name, and how its build folder is made. */
export interface ExampleImage {
  readonly reference: string
  prepare(context: string): void
}

const loader = ['libc6', 'libgcc-s1', 'busybox-static']

/** The example's two images, made of Debian packages and the Node that runs this. */
export const images: readonly ExampleImage[] = [
  {
    reference: 'berth.local/redis:1',
    prepare(context) {
      fs.cpSync(path.join(examples, 'images/redis/Dockerfile'), path.join(context, 'Dockerfile'))
      makeRootfs(['redis-server', 'redis-tools', ...loader], path.join(context, 'rootfs'))
      addBusybox(path.join(context, 'rootfs'), tools)
    },
  },
  {
    reference: 'berth.local/guestbook:1',
    prepare(context) {
      fs.cpSync(path.join(examples, 'images/guestbook/Dockerfile'), path.join(context, 'Dockerfile'))
      makeRootfs(['libstdc++6', 'libatomic1', ...loader], path.join(context, 'rootfs'))
      addBusybox(path.join(context, 'rootfs'), tools)
      const bin = path.join(context, 'rootfs/usr/local/bin')
      fs.mkdirSync(bin, { recursive: true })
      fs.copyFileSync(process.execPath, path.join(bin, 'node'))
      fs.cpSync(path.join(examples, 'frontend'), path.join(context, 'frontend'), { recursive: true })
    },
  },
]

/** Prepares an image's build folder, hands it over, and removes it. */
export async function withContext<T>(image: ExampleImage, use: (context: string) => Promise<T>): Promise<T> {
  const context = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-image-'))
  try {
    image.prepare(context)
    return await use(context)
  } finally {
    fs.rmSync(context, { recursive: true, force: true })
  }
}
