import { spawn, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { run } from './kubectl.ts'
import { eventually } from './wait.ts'

const root = path.resolve(import.meta.dirname, '../..')

/** A container registry on this machine's loopback, which Engines speak to without TLS. */
export interface Registry {
  readonly address: string
  stop(): Promise<void>
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Starts Debian's docker-registry on a folder of its own. */
export async function startRegistry(program: string): Promise<Registry> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-registry-'))
  const address = `127.0.0.1:${await freePort()}`
  const config = path.join(directory, 'config.yml')
  fs.writeFileSync(config, `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${directory}/data } }\nhttp: { addr: "${address}" }\n`)
  const child: ChildProcess = spawn(program, ['serve', config], { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => { child.on('exit', () => resolve()) })
  await eventually('the registry answers', async () => (await fetch(`http://${address}/v2/`)).ok, 20_000)
  return {
    address,
    async stop() {
      child.kill('SIGTERM')
      await ended
      fs.rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Builds Berth's image and pushes it, where a reference is given; gives its digest. */
export async function buildImage(reference?: string): Promise<string> {
  const { code, stdout, stderr } = await run([process.execPath, path.join(root, 'hack/images/build.ts'), '--digest', ...(reference === undefined ? [] : ['--push', reference])], { timeoutMs: 180_000 })
  if (code !== 0) throw new Error(`the image was not built: ${stderr}${stdout}`)
  return stdout.trim()
}
