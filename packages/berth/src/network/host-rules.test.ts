import { expect, test } from 'vitest'
import { newInstance } from '../instance/instance.ts'
import { defaultDataDir, layoutOf } from '../instance/layout.ts'
import { forwardDroppers, hostTable } from './host-rules.ts'

const layout = layoutOf(defaultDataDir)
const instance = newInstance(layout, { nodes: 2 })
const inserts = (...args: [Parameters<typeof forwardDroppers>[0], Parameters<typeof forwardDroppers>[1]]): string[] => forwardDroppers(...args, layout).map((d) => d.insert.join(' '))

const drop = '-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n'
const chain = (family: string, table: string, policy: string, hook = 'forward') => ({ family, table, name: hook.toUpperCase(), type: 'filter', hook, policy })

test('the machine\'s table replaces an earlier one in one transaction', () => {
  expect(hostTable(layout, instance).split('\n').slice(0, 3)).toEqual(['table ip berth {}', 'delete table ip berth', 'table ip berth {'])
})

test('the machine\'s table masquerades the underlay\'s egress and leads NodePorts to the first node, never those of loopback', () => {
  const text = hostTable(layout, instance)
  expect(text).toContain('ip saddr 172.30.0.0/24 oifname != "berth0" masquerade')
  expect(text).toContain('iifname != "berth0" fib daddr type local meta l4proto { tcp, udp } th dport 30000-32767 dnat to 172.30.0.11')
  expect(text).toContain('ip daddr != 127.0.0.0/8 ip daddr != 172.30.0.0/24 fib daddr type local')
})

const rule = (program: string, chainName: string): string[] => ['-i', '-o'].map((way) => `${program} -I ${chainName} ${way} berth0 -m comment --comment berth -j ACCEPT`)
const native = (at: string): string[] => ['iifname', 'oifname'].map((way) => `nft insert rule ${at} ${way} berth0 accept comment "berth ${way}"`)

test.each<{ given: string; chains: Parameters<typeof forwardDroppers>[0]; iptables: Parameters<typeof forwardDroppers>[1]; then: string[] }>([
  { given: 'no firewall', chains: [], iptables: [{ program: 'iptables', rules: '-P FORWARD ACCEPT\n' }], then: [] },
  { given: 'a DROP policy without Docker', chains: [chain('ip', 'filter', 'drop')], iptables: [{ program: 'iptables', rules: drop }], then: rule('iptables', 'FORWARD') },
  { given: 'Docker\'s DROP policy', chains: [chain('ip', 'filter', 'drop')], iptables: [{ program: 'iptables', rules: `${drop}-N DOCKER\n-N DOCKER-USER\n` }], then: rule('iptables', 'DOCKER-USER') },
  { given: 'a DROP policy in the legacy backend', chains: [], iptables: [{ program: 'iptables', rules: '-P FORWARD ACCEPT\n' }, { program: 'iptables-legacy', rules: drop }], then: rule('iptables-legacy', 'FORWARD') },
  { given: 'a chain of the administrator\'s own nft table', chains: [chain('inet', 'firewall', 'drop')], iptables: [], then: native('inet firewall FORWARD') },
  { given: 'iptables\' own chain where there is no iptables program', chains: [chain('ip', 'filter', 'drop')], iptables: [], then: native('ip filter FORWARD') },
  { given: 'iptables-legacy\'s policy beside a native chain of the same name', chains: [chain('ip', 'filter', 'drop')], iptables: [{ program: 'iptables-legacy', rules: drop }], then: [...rule('iptables-legacy', 'FORWARD'), ...native('ip filter FORWARD')] },
  { given: 'both backends', chains: [chain('ip', 'filter', 'drop'), chain('inet', 'ufw', 'drop')], iptables: [{ program: 'iptables', rules: drop }], then: [...rule('iptables', 'FORWARD'), ...native('inet ufw FORWARD')] },
  { given: 'a chain that accepts', chains: [chain('inet', 'firewall', 'accept')], iptables: [], then: [] },
  { given: 'a chain on another hook', chains: [chain('inet', 'firewall', 'drop', 'input')], iptables: [], then: [] },
  { given: 'a chain for IPv6 alone', chains: [chain('ip6', 'filter', 'drop')], iptables: [], then: [] },
  { given: 'our own table', chains: [chain('ip', 'berth', 'drop')], iptables: [], then: [] },
])('$given: exactly the rules that are needed', ({ chains, iptables, then }) => {
  expect(inserts(chains, iptables)).toEqual(then)
})

test('of a native chain\'s listing, only this instance\'s rules are removed, by their handles', () => {
  const [into] = forwardDroppers([chain('inet', 'firewall', 'drop')], [], layout)
  const listing = [
    '\t\tiifname "berth0" accept comment "berth iifname" # handle 7',
    '\t\tiifname "berth-0a1b2c0" accept comment "berth-0a1b2c iifname" # handle 9',
    '\t\tiifname "eth0" accept comment "not berth iifname" # handle 11',
    '\t\toifname "berth0" accept comment "berth oifname" # handle 8',
  ].join('\n')
  expect(into?.remove(listing)).toEqual([['nft', 'delete', 'rule', 'inet', 'firewall', 'FORWARD', 'handle', '7']])
})
