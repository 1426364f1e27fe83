import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createCriClient } from '@berth/cri'
import { busyboxImage } from './image.ts'

const run = promisify(execFile)

/** A containerd of the test's own, with its CRI plugin and the distribution's bridge plugin. */
export interface PrivateContainerd {
  readonly endpoint: string
  readonly dir: string
  stop(): Promise<void>
}

/** Why the suite cannot run here; undefined when it can. */
export function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const path of ['/usr/bin/containerd', '/usr/bin/ctr', '/usr/sbin/runc', '/usr/lib/cni/bridge', '/usr/lib/cni/host-local', '/bin/busybox']) if (!existsSync(path)) return `${path} is not installed`
  return undefined
}

export const testImage = 'berth.test/busybox:1'

export async function startContainerd(dir: string): Promise<PrivateContainerd> {
  await rm(dir, { recursive: true, force: true })
  await mkdir(join(dir, 'cni'), { recursive: true })
  const endpoint = join(dir, 'containerd.sock')
  await writeFile(join(dir, 'cni/10-test.conflist'), JSON.stringify({
    cniVersion: '0.4.0', name: 'kubelet-test',
    plugins: [{ type: 'bridge', bridge: 'kltest0', isGateway: true, ipam: { type: 'host-local', ranges: [[{ subnet: '10.250.77.0/24' }]], routes: [{ dst: '0.0.0.0/0' }], dataDir: join(dir, 'ipam') } }],
  }))
  const config = `version = 2
root = "${dir}/root"
state = "${dir}/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "${endpoint}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${testImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${dir}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
`
  await writeFile(join(dir, 'config.toml'), config)
  const log = openSync(join(dir, 'containerd.log'), 'a')
  const child: ChildProcess = spawn('/usr/bin/containerd', ['--config', join(dir, 'config.toml')], { stdio: ['ignore', log, log] })
  const cri = createCriClient(endpoint)
  for (let i = 0; ; i++) {
    try {
      await cri.version({ version: '' })
      break
    } catch (error) {
      if (i > 100) throw new Error(`containerd did not start: ${await readFile(join(dir, 'containerd.log'), 'utf8')}`, { cause: error })
      await new Promise((r) => setTimeout(r, 100))
    }
  }
  // The sandbox runs this image's own command: it must sleep.
  const tar = await busyboxImage(dir, testImage, { Cmd: ['/bin/sleep', '1000000'] })
  await run('/usr/bin/ctr', ['-a', endpoint, '-n', 'k8s.io', 'images', 'import', tar])
  return {
    endpoint: `unix://${endpoint}`,
    dir,
    stop: async () => {
      const { items } = await cri.listPodSandbox({})
      for (const s of items) {
        await cri.stopPodSandbox({ podSandboxId: s.id }).catch(() => {})
        await cri.removePodSandbox({ podSandboxId: s.id }).catch(() => {})
      }
      cri.close()
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      await run('ip', ['link', 'del', 'kltest0']).catch(() => {})
      await rm(dir, { recursive: true, force: true }).catch(() => {})
    },
  }
}
