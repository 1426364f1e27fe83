import fs from 'node:fs'
import path from 'node:path'
import type { EngineLayout } from '../instance/layout.ts'

/** containerd's configuration for the private Engine: its own root, state and socket, and no CRI plugin of its own. */
export function containerdConfig(layout: EngineLayout): string {
  return [
    'version = 2',
    `root = ${JSON.stringify(layout.containerdRoot)}`,
    `state = ${JSON.stringify(layout.containerdState)}`,
    'oom_score = 0',
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `  address = ${JSON.stringify(layout.containerdSocket)}`,
    '',
  ].join('\n')
}

/** The argument vectors of the private Engine's two daemons. Nothing of the machine's network is theirs to touch. */
export function engineCommands(layout: EngineLayout): { containerd: string[]; dockerd: string[] } {
  return {
    containerd: ['containerd', '--config', layout.containerdConfig, '--log-level', 'warn'],
    dockerd: [
      'dockerd', '--config-file', layout.dockerdConfig, '--containerd', layout.containerdSocket, '--data-root', layout.dockerRoot,
      '--exec-root', layout.dockerExecRoot, '--pidfile', layout.dockerPidFile, '-H', `unix://${layout.dockerSocket}`,
      '--live-restore', '--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false', '--userland-proxy=false',
      '--oom-score-adjust=0', '--cgroup-parent', layout.cgroupParent, '--exec-opt', 'native.cgroupdriver=cgroupfs', '--log-level', 'warn',
    ],
  }
}

/** Writes the private Engine's configuration files. dockerd gets one of its own, since it would read /etc/docker's otherwise. */
export function writeEngineConfig(layout: EngineLayout): void {
  fs.mkdirSync(path.dirname(layout.containerdConfig), { recursive: true, mode: 0o700 })
  fs.mkdirSync(path.dirname(layout.dockerSocket), { recursive: true, mode: 0o700 })
  fs.writeFileSync(layout.containerdConfig, containerdConfig(layout))
  fs.writeFileSync(layout.dockerdConfig, `${JSON.stringify({ 'max-concurrent-downloads': 6 }, null, 2)}\n`)
}
