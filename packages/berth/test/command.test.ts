// The command as a shell sees it: help, exit codes, output, closed pipes. Nothing is started.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { commands } from '../src/registry.ts'
import { berth, main, run } from './support/run.ts'

const launcher = path.resolve(import.meta.dirname, '../bin/berth.js')
const nowhere = ['--data-dir', '/var/tmp/berth-m-nowhere']

/** A Node of the major version 20 on this machine, the oldest that the launcher must run under. */
const node20 = [...new Set((process.env.PATH ?? '').split(':').concat('/usr/bin', '/usr/local/bin'))].map((dir) => path.join(dir, 'node'))
  .find((file) => fs.existsSync(file) && spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout.startsWith('v20.'))

/** Flags that each command must have; upstream's for the parts. */
const flags: Readonly<Record<string, readonly string[]>> = {
  up: ['--nodes', '--docker-host', '--timeout', '--data-dir', '-o, --output'],
  down: ['--purge', '--data-dir'],
  status: ['--data-dir', '-o, --output'],
  kubeconfig: ['--path', '--data-dir'],
  logs: ['-f, --follow', '--tail', '--data-dir'],
  version: ['-o, --output'],
  why: ['-n, --namespace', '--kubeconfig', '--lease', '--offline', '--config', '-o, --output'],
  'why-not': ['--node', '-n, --namespace', '--kubeconfig', '--offline', '-o, --output'],
  'what-if': ['-f, --filename', '--replicas', '--add-nodes', '--like', '--drain', '--cordon', '--remove-pod', '--offline', '-o, --output'],
  server: ['--data-dir'],
  agent: ['--node', '--data-dir'],
  apiserver: ['--secure-port', '--bind-address', '--cert-dir', '--client-ca-file', '--token-auth-file', '--authorization-mode', '--service-cluster-ip-range', '--service-account-issuer', '--service-account-key-file', '--disable-admission-plugins', '--data-dir'],
  controllers: ['--kubeconfig', '--leader-elect', '--controllers', '--cluster-cidr', '--concurrent-deployment-syncs', '--terminated-pod-gc-threshold'],
  scheduler: ['--config', '--kubeconfig', '--leader-elect', '--secure-port', '--feature-gates', '--write-config-to'],
  extender: ['--config', '--kubeconfig', '--bind-address', '--port', '--timeout'],
  kubelet: ['--config', '--kubeconfig', '--hostname-override', '--node-ip', '--container-runtime-endpoint', '--root-dir', '--pod-manifest-path'],
  'cri-docker': ['--container-runtime-endpoint', '--docker-host', '--cni-bin-dir', '--cni-conf-dir'],
  overlay: ['--kubeconfig-file', '--net-config-path', '--ip-masq', '--healthz-port'],
  'service-proxy': ['--config', '--kubeconfig', '--cluster-cidr', '--proxy-mode', '--cleanup', '--hostname-override'],
  dns: ['--kubeconfig', '--cluster-domain', '--listen'],
}

// These are commands of commands.
const withFlags = Object.keys(commands).filter((name) => !['image', 'snapshot', 'envtest'].includes(name))

test.each(withFlags)('berth %s --help says what it does and names its flags', async (name) => {
  const { code, stdout, stderr } = await berth([name, '--help'])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain(`berth ${name}`)
  expect(flags[name]?.length).toBeGreaterThan(0)
  for (const flag of [...flags[name] ?? [], '-h, --help', '-v, --v']) expect(stdout).toMatch(new RegExp(`^ +${flag}( |$)`, 'm'))
})

test.each([
  ['image', { load: '--data-dir', build: '-t, --tag', list: '-o, --output' }],
  ['snapshot', { save: '--data-dir', restore: '--bump-revision', migrate: '--from', status: '-o, --output' }],
])('berth %s --help names its commands, and each of them has a help of its own', async (name, actions) => {
  const { code, stdout } = await berth([name, '--help'])
  expect(code).toBe(0)
  for (const [action, flag] of Object.entries(actions)) {
    expect(stdout).toContain(`berth ${name} ${action}`)
    const help = await berth([name, action, '--help'])
    expect([help.code, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toMatch(new RegExp(`^ +${flag}( |$)`, 'm'))
  }
})

test('berth envtest --help names its commands, and each of them has a help that envtest understands', async () => {
  const { code, stdout } = await berth(['envtest', '--help'])
  expect(code).toBe(0)
  for (const [action, flag] of [['install', '-o, --output'], ['kube-apiserver', '--etcd-servers'], ['etcd', '--unsafe-no-fsync']] as const) {
    expect(stdout).toMatch(new RegExp(`^ +${action} `, 'm'))
    const help = await berth(['envtest', action, '--help'])
    expect([help.code, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toMatch(new RegExp(`^ +${flag}( |$)`, 'm'))
    // envtest sets it where the help names it.
    expect(help.stdout).not.toContain('--insecure-port')
  }
})

test('without a command the overview is printed, and the status is that of a wrong use', async () => {
  const [bare, asked] = await Promise.all([berth([]), berth(['--help'])])
  expect([bare.code, asked.code]).toEqual([2, 0])
  expect(bare.stdout).toBe(asked.stdout)
})

test('version -o json has the versions of Berth, Kubernetes and Node', async () => {
  const { code, stdout } = await berth(['version', '-o', 'json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ berth: expect.stringMatching(/^\d+\.\d+\.\d+$/), kubernetes: expect.stringMatching(/^v1\.36\.\d+$/), node: process.version, platform: `linux/${process.arch}` })
})

test.skipIf(!node20)(`under the oldest Node that is supported, the launcher hands over to the pinned one${node20 ? '' : ' (skipped: there is no Node 20 on this machine)'}`, async () => {
  const { code, stdout } = await run([node20 ?? '', launcher, 'version', '-o', 'json'])
  expect(code).toBe(0)
  expect((JSON.parse(stdout) as { node: string }).node).toMatch(/^v26\./)
})

test.skipIf(!node20)(`under the oldest Node, the launcher passes exit codes on${node20 ? '' : ' (skipped: there is no Node 20 on this machine)'}`, async () => {
  expect((await run([node20 ?? '', launcher, 'no-such-command'])).code).toBe(2)
})

test.each([
  { args: ['no-such-command'], code: 2, says: /^Error: unknown command "no-such-command" for "berth"\nRun 'berth --help' for usage\.\n$/ },
  { args: ['image', 'eat'], code: 2, says: /^Error: unknown command "eat" for "berth image"\n/ },
  { args: ['up', ...nowhere, '--no-such-flag'], code: 1, says: /^Error: unknown flag: --no-such-flag\n/ },
  { args: ['up', ...nowhere, 'please'], code: 1, says: /^Error: "berth up" does not take any arguments/ },
  { args: ['up', ...nowhere, '--nodes', '0'], code: 1, says: /^Error: --nodes: 0 .*allowed: 1 to 200\n$/ },
  { args: ['up', ...nowhere, '--nodes', '201'], code: 1, says: /^Error: --nodes: 201 .*\n$/ },
  { args: ['up', ...nowhere, '--nodes', '1.5'], code: 1, says: /^Error: (--nodes: 1\.5 |invalid argument "1\.5" for "--nodes" flag)/ },
  { args: ['up', ...nowhere, '--nodes', 'two'], code: 1, says: /^Error: invalid argument "two" for "--nodes" flag/ },
  { args: ['up', ...nowhere, '--docker-host', 'tcp://10.0.0.1:2375'], code: 1, says: /^Error: --docker-host: "tcp:\/\/10\.0\.0\.1:2375" is not a unix socket .*\n$/ },
  { args: ['up', ...nowhere, '-o', 'yaml'], code: 1, says: /^Error: --output: "yaml" is not a format; allowed: text, json\n$/ },
  { args: ['status', ...nowhere, '-o', 'wide'], code: 1, says: /^Error: --output: "wide" is not a format/ },
  { args: ['version', '--output', 'JSON'], code: 1, says: /^Error: --output: "JSON" is not a format/ },
  { args: ['kubeconfig', ...nowhere], code: 1, says: /^Error: there is no cluster in \/var\/tmp\/berth-m-nowhere; `berth up` makes one\n$/ },
  { args: ['logs', ...nowhere, 'server'], code: 1, says: /^Error: there is no cluster in / },
  { args: ['image', 'load', ...nowhere], code: 1, says: /^Error: name at least one archive\n$/ },
  { args: ['image', 'build', ...nowhere, '/tmp'], code: 1, says: /^Error: --tag is needed: the image's name\n$/ },
])('berth $args ends with $code and one plain error', async ({ args, code, says }) => {
  const ended = await berth(args)
  expect(ended.stderr).toMatch(says)
  expect(ended.stderr).not.toMatch(/\n +at /)
  expect([ended.code, ended.stdout]).toEqual([code, ''])
  expect(fs.existsSync('/var/tmp/berth-m-nowhere')).toBe(false)
})

test('the status of a cluster that is not there is 4, in words and in JSON; taking it down is done already', async () => {
  const [text, json, down] = await Promise.all([berth(['status', ...nowhere]), berth(['status', ...nowhere, '-o', 'json']), berth(['down', ...nowhere])])
  expect([text.code, text.stdout]).toEqual([4, 'There is no cluster in /var/tmp/berth-m-nowhere; `berth up` makes one.\n'])
  expect([json.code, JSON.parse(json.stdout)]).toEqual([4, { state: 'absent', dataDir: '/var/tmp/berth-m-nowhere' }])
  expect(down.code === 0 ? down.stdout : down.stderr).toMatch(process.getuid?.() === 0 ? /^There is no cluster in / : /^Error: this needs root/)
})

/** Runs the command with a standard output whose reader is gone before a word is written. */
function withClosedPipe(args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stderr }))
  })
}

test.each([[['--help']], [['version']], [['kubelet', '--help']], [['status', ...nowhere]], [['down', ...nowhere]]])('berth %s into a pipe that nobody reads ends quietly', async (args) => {
  const { code, stderr } = await withClosedPipe(args)
  expect(stderr).toBe('')
  expect([0, 4]).toContain(code)
})
