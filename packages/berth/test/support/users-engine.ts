import { spawn, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import Docker from 'dockerode'
import { tryExec } from '../../src/exec.ts'
import { mountsBelow } from '../../src/cleanup/mounts.ts'
import { eventually } from './cluster.ts'

/** A Docker Engine as a user has one, of which Berth knows nothing. */
export interface UsersEngine {
  readonly host: string
  readonly docker: Docker
  stop(): Promise<void>
}

/** Starts containerd and dockerd in a folder of their own. The machine's network is left alone, as suites share it. */
export async function startUsersEngine(directory: string): Promise<UsersEngine> {
  fs.mkdirSync(directory, { recursive: true })
  const at = (name: string): string => `${directory}/${name}`
  const started: ChildProcess[] = []
  const start = (program: string, args: readonly string[]): void => {
    const log = fs.openSync(at(`${program}.log`), 'a')
    started.push(spawn(program, args, { stdio: ['ignore', log, log] }))
    fs.closeSync(log)
  }
  fs.writeFileSync(at('containerd.toml'), `version = 2\nroot = "${at('containerd')}"\nstate = "${at('containerd-state')}"\noom_score = 0\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "${at('containerd.sock')}"\n`)
  fs.writeFileSync(at('daemon.json'), '{}')
  start('containerd', ['--config', at('containerd.toml'), '--log-level', 'warn'])
  await eventually('containerd listens', async () => (fs.existsSync(at('containerd.sock')) ? true : undefined))
  start('dockerd', [
    '--config-file', at('daemon.json'), '--containerd', at('containerd.sock'), '--data-root', at('docker'), '--exec-root', at('exec'), '--pidfile', at('docker.pid'), '-H', `unix://${at('docker.sock')}`,
    '--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--oom-score-adjust=0', '--log-level', 'warn',
  ])
  const docker = new Docker({ socketPath: at('docker.sock') })
  await eventually('dockerd answers', async () => (await docker.ping() ? true : undefined))
  return {
    host: `unix://${at('docker.sock')}`,
    docker,
    async stop() {
      for (const { Id } of await docker.listContainers({ all: true })) await docker.getContainer(Id).remove({ force: true, v: true })
      for (const child of started.toReversed()) {
        const ended = new Promise((resolve) => { child.once('exit', resolve) })
        child.kill()
        await ended
      }
      for (const point of mountsBelow(fs.readFileSync('/proc/self/mountinfo', 'utf8'), [directory])) await tryExec(['umount', '-l', point])
      fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
