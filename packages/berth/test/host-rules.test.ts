// The machine's firewall rules against the kernel: a namespace plays the machine, with somebody's firewall in it, and real connections are made through it.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { exec } from '../src/exec.ts'
import { newInstance } from '../src/instance/instance.ts'
import { layoutOf } from '../src/instance/layout.ts'
import { ensureForwarding, ensureHostTable, removeHostRules } from '../src/network/host-rules.ts'
import { hostLink } from '../src/network/fabric.ts'
import { output, run } from './support/run.ts'

const layout = layoutOf('/var/tmp/berth-m-rules')
const instance = newInstance(layout, { nodes: 1 })
const names = { machine: `bm-machine-${process.pid}`, node: `bm-node-${process.pid}`, world: `bm-world-${process.pid}`, other: `bm-other-${process.pid}` }
const [node, gateway] = [`${instance.underlay}.11`, `${instance.underlay}.254`]
const [world, machineOutside] = ['198.51.100.2', '198.51.100.1']
/** Another network behind the machine, none of Berth's. */
const [other, machineOther] = ['203.0.113.2', '203.0.113.1']

type Place = keyof typeof names
const at = (place: Place): string[] => ['nsenter', `--net=/run/netns/${names[place]}`]
const onMachine: typeof exec = (argv, options) => exec([...at('machine'), ...argv], options)
const machine = (...argv: string[]): Promise<string> => output([...at('machine'), ...argv])

const missing = process.getuid?.() !== 0 ? 'namespaces need root'
  : ['nft', 'iptables', 'ip', 'nsenter'].find((program) => spawnSync('which', [program]).status !== 0)?.replace(/$/, ' is not installed')
if (missing) console.log(`skipped: ${missing}`)

/** Whether iptables-legacy works in a namespace here; many kernels have the nft backend alone. */
const legacy = !missing && spawnSync('unshare', ['--net', 'iptables-legacy', '-S', 'FORWARD']).status === 0

const servers: ChildProcess[] = []

/** A server that tells whoever connects the address that it sees. */
async function serve(place: Place, port: number): Promise<void> {
  const program = `require('net').createServer((s) => { s.on('error', () => {}); s.end(s.remoteAddress.replace('::ffff:', '')) }).listen(${port}, '0.0.0.0', () => console.log('listening'))`
  const [command = '', ...args] = [...at(place), process.execPath, '-e', program]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  servers.push(child)
  await new Promise((resolve) => { child.stdout.once('data', resolve) })
}

/** Connects from somewhere; gives what the server said, or 'nothing' where no connection comes about within a second. */
async function connect(place: Place, address: string, port: number): Promise<string> {
  const program = `const s = require('net').connect(${port}, '${address}'); s.on('data', (d) => { console.log(String(d)); process.exit() }); s.on('error', () => process.exit(1)); setTimeout(() => process.exit(1), 1000)`
  const { code, stdout } = await run([...at(place), process.execPath, '-e', program])
  return code === 0 ? stdout.trim() : 'nothing'
}

const outward = (): Promise<string> => connect('node', world, 8080)
const inward = (): Promise<string> => connect('world', machineOutside, 30080)
/** All rules, without what they have counted. */
const rules = async (): Promise<string> => `${await machine('nft', 'list', 'ruleset')}\n${legacy ? await machine('iptables-legacy-save') : ''}`.replace(/^#.*|\[\d+:\d+\]|packets \d+ bytes \d+/gm, '')

beforeAll(async () => {
  if (missing) return
  for (const name of Object.values(names)) {
    await output(['ip', 'netns', 'add', name])
    await output(['ip', '-n', name, 'link', 'set', 'lo', 'up'])
  }
  const link = async (far: 'node' | 'world' | 'other', name: string, here: string, there: string): Promise<void> => {
    await output(['ip', '-n', names.machine, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', names[far]])
    for (const [ns, device, address] of [[names.machine, name, here], [names[far], 'eth0', there]] as const) {
      await output(['ip', '-n', ns, 'addr', 'add', `${address}/24`, 'dev', device])
      await output(['ip', '-n', ns, 'link', 'set', device, 'up'])
    }
  }
  await link('node', hostLink(layout), gateway, node)
  await link('world', 'eth0', machineOutside, world)
  await link('other', 'other', machineOther, other)
  await output(['ip', '-n', names.node, 'route', 'add', 'default', 'via', gateway])
  await output(['ip', '-n', names.other, 'route', 'add', 'default', 'via', machineOther])
  await output(['ip', '-n', names.world, 'route', 'add', `${other}/32`, 'via', machineOutside])
  await machine('sysctl', '-qw', 'net.ipv4.ip_forward=1')
  await Promise.all([serve('world', 8080), serve('node', 30080), serve('other', 8080)])
})

afterAll(async () => {
  for (const child of servers) child.kill('SIGKILL')
  if (!missing) for (const name of Object.values(names)) await run(['ip', 'netns', 'del', name])
})

beforeEach(async () => {
  if (missing) return
  await machine('nft', 'flush', 'ruleset')
  if (legacy) {
    await machine('iptables-legacy', '-P', 'FORWARD', 'ACCEPT')
    await machine('iptables-legacy', '-F')
  }
})

/** Somebody's firewall, as its tool makes it. `reload` is what that tool does when it is told to read its rules again. */
interface Firewall { readonly given: string; readonly make: string[][]; readonly reload: string[][]; readonly skip?: boolean }

const dropAll = 'add table inet firewall; add chain inet firewall forward { type filter hook forward priority 0; policy drop; }; add rule inet firewall forward ct state established tcp dport 1 accept'
const firewalls: readonly Firewall[] = [
  { given: 'iptables with the policy DROP', make: [['iptables', '-P', 'FORWARD', 'DROP'], ['iptables', '-A', 'FORWARD', '-i', 'lo', '-j', 'ACCEPT']], reload: [['iptables', '-F', 'FORWARD'], ['iptables', '-A', 'FORWARD', '-i', 'lo', '-j', 'ACCEPT']] },
  {
    given: 'Docker\'s chains and the policy DROP',
    make: [['iptables', '-N', 'DOCKER-USER'], ['iptables', '-P', 'FORWARD', 'DROP'], ['iptables', '-A', 'FORWARD', '-j', 'DOCKER-USER'], ['iptables', '-A', 'DOCKER-USER', '-j', 'RETURN']],
    reload: [['iptables', '-F', 'DOCKER-USER'], ['iptables', '-A', 'DOCKER-USER', '-j', 'RETURN']],
  },
  { given: 'an nft table whose forward chain drops by policy', make: [['nft', dropAll]], reload: [['nft', `delete table inet firewall; ${dropAll}`]] },
  { given: 'both at once', make: [['iptables', '-P', 'FORWARD', 'DROP'], ['nft', dropAll]], reload: [['iptables', '-F', 'FORWARD'], ['nft', `delete table inet firewall; ${dropAll}`]] },
  {
    given: 'iptables-legacy with the policy DROP', skip: !legacy,
    make: [['iptables-legacy', '-P', 'FORWARD', 'DROP']], reload: [['iptables-legacy', '-F', 'FORWARD']],
  },
]

describe.skipIf(missing)('the machine\'s rules', () => {
  test('without a firewall, egress is masqueraded, a NodePort of the machine leads to the node, and nothing is added for forwarding', async () => {
    const before = await rules()
    expect(await inward()).toBe('nothing')
    await ensureHostTable(layout, instance, onMachine)
    const withTable = await rules()
    await ensureForwarding(layout, onMachine)
    expect(await rules()).toBe(withTable)
    expect(await outward()).toBe(machineOutside)
    expect(await inward()).toBe(world)
    // From the machine itself, too.
    expect(await connect('machine', machineOutside, 30080)).toBe(machineOutside)
    await removeHostRules(layout, onMachine)
    expect(await rules()).toBe(before)
  })

  test('loading the table twice is the same as once', async () => {
    await ensureHostTable(layout, instance, onMachine)
    const once = await rules()
    await ensureHostTable(layout, instance, onMachine)
    expect(await rules()).toBe(once)
  })

  for (const { given, make, reload, skip } of firewalls) {
    test.skipIf(skip)(`${given}${skip ? ' (skipped: this kernel has no iptables-legacy)' : ''}: traffic passes, again after a reload, and all is as before when the rules are removed`, async () => {
      for (const argv of make) await machine(...argv)
      const before = await rules()
      await ensureHostTable(layout, instance, onMachine)
      expect([await outward(), await inward()]).toEqual(['nothing', 'nothing'])

      await ensureForwarding(layout, onMachine)
      expect([await outward(), await inward()]).toEqual([machineOutside, world])
      const ensured = await rules()
      await ensureForwarding(layout, onMachine)
      expect(await rules()).toBe(ensured)

      for (const argv of reload) await machine(...argv)
      expect(await outward()).toBe('nothing')
      await ensureForwarding(layout, onMachine)
      expect([await outward(), await inward()]).toEqual([machineOutside, world])

      await removeHostRules(layout, onMachine)
      expect(await rules()).toBe(before)
      await removeHostRules(layout, onMachine)
      expect(await rules()).toBe(before)
    })
  }

  test('what the firewall forbids to others stays forbidden', async () => {
    await machine('iptables', '-P', 'FORWARD', 'DROP')
    await ensureHostTable(layout, instance, onMachine)
    await ensureForwarding(layout, onMachine)
    expect(await outward()).toBe(machineOutside)
    expect(await connect('world', other, 8080)).toBe('nothing')
    await machine('iptables', '-P', 'FORWARD', 'ACCEPT')
    expect(await connect('world', other, 8080)).toBe(world)
  })
})
