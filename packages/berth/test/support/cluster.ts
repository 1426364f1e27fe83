import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { layoutOf, type Layout } from '../../src/instance/layout.ts'
import { berth, output, run, type Ended } from './run.ts'

/** Why no cluster can be started here, or undefined. */
export function clusterMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'a cluster needs root'
  const program = ['containerd', 'dockerd', 'runc', 'nft', 'ip', 'nsenter', 'conntrack', 'kubectl'].find((name) => spawnSync('which', [name]).status !== 0)
  if (program) return `${program} is not installed`
  return fs.existsSync('/bin/busybox') ? undefined : '/bin/busybox is not installed (Debian package busybox-static)'
}

/** A cluster of this suite's own, on a data directory of its own. */
export interface TestCluster {
  readonly layout: Layout
  berth(args: readonly string[], options?: { killAfterMs?: number }): Promise<Ended>
  /** Runs `berth up`; what it says is the error where it fails. */
  up(...args: string[]): Promise<string>
  kubectl(args: readonly string[], input?: string): Promise<string>
  env: Record<string, string>
  /** Builds the image that the tests' pods run: busybox alone. */
  buildImage(): Promise<void>
  /** `berth down --purge`. */
  remove(): Promise<void>
}

export const image = 'berth-m/busybox:1'

export function testCluster(name: string): TestCluster {
  const layout = layoutOf(`/var/tmp/berth-m-${name}-${process.pid}`)
  const env = { KUBECONFIG: layout.kubeconfig }
  const own: TestCluster['berth'] = (args, options) => berth([...args, '--data-dir', layout.dataDir], options)
  return {
    layout,
    env,
    berth: own,
    async up(...args) {
      const { code, stdout, stderr } = await own(['up', ...args])
      if (code !== 0) throw new Error(`berth up ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`)
      return stdout
    },
    kubectl: (args, input) => output(['kubectl', ...args], { env, ...(input === undefined ? {} : { input }) }),
    async buildImage() {
      const folder = `${layout.dataDir}/test-image`
      fs.mkdirSync(path.join(folder, 'root/bin'), { recursive: true })
      fs.copyFileSync('/bin/busybox', path.join(folder, 'root/bin/busybox'))
      for (const applet of (await output(['/bin/busybox', '--list'])).trim().split('\n').filter((a) => a !== 'busybox')) fs.symlinkSync('busybox', path.join(folder, 'root/bin', applet))
      fs.mkdirSync(path.join(folder, 'root/tmp'))
      await output(['tar', '-C', path.join(folder, 'root'), '-cf', path.join(folder, 'root.tar'), '.'])
      fs.rmSync(path.join(folder, 'root'), { recursive: true })
      fs.writeFileSync(path.join(folder, 'Dockerfile'), 'FROM scratch\nADD root.tar /\nENV PATH=/bin\n')
      const { code, stdout, stderr } = await own(['image', 'build', folder, '--tag', image])
      if (code !== 0) throw new Error(`berth image build ended with ${code}\n${stdout}${stderr}`)
    },
    async remove() {
      const { code, stdout, stderr } = await own(['down', '--purge'])
      if (code !== 0) throw new Error(`berth down --purge ended with ${code}\n${stdout}${stderr}`)
    },
  }
}

/** What of an instance is on the machine: links, namespaces, tables, rules, mounts, control groups, processes, sockets. */
export async function leftovers(layout: Layout): Promise<string[]> {
  const mine = (text: string): string[] => text.split('\n').filter((line) => line.includes(layout.name) || line.includes(layout.dataDir))
  const commands = [['ip', '-o', 'link'], ['ip', 'netns', 'list'], ['nft', 'list', 'ruleset'], ['iptables', '-S']]
  const shown = await Promise.all(commands.map(async (argv) => mine((await run(argv)).stdout)))
  const cgroups = fs.readdirSync('/sys/fs/cgroup').map((hierarchy) => `/sys/fs/cgroup/${hierarchy}/${layout.name}`).concat(`/sys/fs/cgroup/${layout.name}`).filter((dir) => fs.existsSync(dir))
  const processes = fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).flatMap((pid) => {
    try {
      return mine(fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
    } catch {
      return []
    }
  })
  return [...shown.flat(), ...mine(fs.readFileSync('/proc/self/mountinfo', 'utf8')), ...cgroups, ...processes, ...[layout.runDir].filter((dir) => fs.existsSync(dir))]
}

/** Asks until `ask` gives something; its last failure is the error where it does not within a minute. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 60_000
  for (let last: unknown; ;) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`it does not come about: ${what}`, { cause: last })
    await new Promise((resolve) => { setTimeout(resolve, 200) })
  }
}
