import { expect, test } from 'vitest'
import { newInstance } from '../instance/instance.ts'
import { layoutOf } from '../instance/layout.ts'
import { processesOf } from './processes.ts'

const layout = layoutOf('/srv/one')
/** Every program is "found" at once: the table is about which processes there are, not about this machine. */
const find = (program: string): string => `/usr/bin/${program}`
const table = (options: { nodes: number; dockerHost?: string; verbosity?: number }) => processesOf(layout, newInstance(layout, options), { verbosity: options.verbosity ?? 0, find })

test('the Engine starts first, then the server, then one agent a node', () => {
  expect(table({ nodes: 3 }).map((p) => p.name)).toEqual(['containerd', 'dockerd', 'server', 'agent-n1', 'agent-n2', 'agent-n3'])
})

test('with an Engine of the user\'s there is no private one', () => {
  expect(table({ nodes: 1, dockerHost: 'unix:///run/docker.sock' }).map((p) => p.name)).toEqual(['server', 'agent-n1'])
})

test('each process logs into a file of its own, and its program is an absolute path', () => {
  const processes = table({ nodes: 2 })
  expect(processes.map((p) => p.log)).toEqual(['containerd', 'dockerd', 'server', 'agent-n1', 'agent-n2'].map((name) => `/srv/one/logs/${name}.log`))
  for (const process of processes) expect(process.argv[0]).toMatch(/^\//)
})

test('server and agents know their data directory, their node and the verbosity; without -v they get none', () => {
  const words = (options: { verbosity?: number }, name: string): string => {
    const argv = table({ nodes: 2, ...options }).find((p) => p.name === name)?.argv ?? []
    return argv.slice(argv.indexOf(name.split('-')[0] ?? '')).join(' ')
  }
  expect(words({}, 'server')).toBe('server --data-dir /srv/one')
  expect(words({ verbosity: 4 }, 'agent-n2')).toBe('agent --node n2 --data-dir /srv/one -v 4')
})

test('nothing of the user\'s environment reaches a process but PATH', () => {
  process.env.BERTH_TEST_SECRET = 'x'
  try {
    for (const each of table({ nodes: 1 })) expect(Object.keys(each.env ?? {}).filter((name) => name !== 'MALLOC_ARENA_MAX').sort()).toEqual(['HOME', 'LANG', 'PATH'])
  } finally {
    delete process.env.BERTH_TEST_SECRET
  }
})

test('the private Engine shares nothing with the machine\'s own: sockets, roots and pid file are the instance\'s, the network is left alone', () => {
  const dockerd = table({ nodes: 1 }).find((p) => p.name === 'dockerd')?.argv ?? []
  const after = (flag: string): string | undefined => dockerd[dockerd.indexOf(flag) + 1]
  expect([after('--containerd'), after('--exec-root'), after('--pidfile'), after('-H')]).toEqual(['containerd.sock', 'docker', 'docker.pid'].map((f) => `${layout.runDir}/${f}`).concat(`unix://${layout.runDir}/docker.sock`))
  expect([after('--data-root'), after('--config-file')]).toEqual(['/srv/one/engine/docker', '/srv/one/engine/daemon.json'])
  expect(dockerd).toEqual(expect.arrayContaining(['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--live-restore']))
})

test('a program that is nowhere on PATH is named', () => {
  const before = process.env.PATH
  process.env.PATH = '/nonexistent'
  try {
    expect(() => processesOf(layout, newInstance(layout, { nodes: 1 }), { verbosity: 0 })).toThrow('containerd is not on PATH')
  } finally {
    process.env.PATH = before
  }
})
