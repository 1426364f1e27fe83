import { describe, expect, test } from 'vitest'
import type { Frontend, ServiceRules } from '../services/frontends.ts'
import { type Actual, emptyActual, parseListing } from './actual.ts'
import { ProxyModel } from './model.ts'
import type { MapName } from './table.ts'

const settings = { detector: { local: 'ip saddr 10.244.0.0/16', notLocal: 'ip saddr != 10.244.0.0/16' }, masqueradeMark: 0x4000 }

function frontend(key: string, endpoints: string[], more: Partial<Frontend> = {}): Frontend {
  return { key, masquerade: 'outside', affinity: 0, endpoints, inside: undefined, otherwise: 'reject', sources: undefined, ...more }
}

function service(...frontends: Frontend[]): ServiceRules {
  return { frontends, clusterIps: [...new Set(frontends.map(({ key }) => key.split(' . ')[0] ?? ''))], hairpins: [], health: undefined, noLocal: [] }
}

/** Executes commands on a table as the kernel does: deleting what is not there, adding what is with other data, or leaving a chain dangling is an error. */
function execute(table: Actual, commands: string[]): Actual {
  let now: Actual = { elements: new Map([...table.elements].map(([name, elements]) => [name, new Map(elements)])), chains: new Map(table.chains) }
  for (const command of commands) {
    if (command.startsWith('delete table')) now = emptyActual()
    const [, action, map, list] = /^(add|delete) element ip berth-proxy (\S+) \{ (.*) \}$/.exec(command) ?? []
    const elements = now.elements.get(map as MapName)
    for (const item of list?.split(', ') ?? []) {
      const [key = '', value = ''] = item.split(' : ')
      if (action === 'delete' && elements?.delete(key) !== true) throw new Error(`no element to delete: ${command}`)
      if (action === 'add' && elements?.has(key)) throw new Error(`element exists: ${command}`)
      if (action === 'add') elements?.set(key, value)
    }
    const chain = /^(add|delete) chain ip berth-proxy (\S+)/.exec(command)
    if (chain?.[1] === 'add' && !now.chains.has(chain[2] ?? '')) now.chains.set(chain[2] ?? '', 0)
    if (chain?.[1] === 'delete') now.chains.delete(chain[2] ?? '')
    const rule = /^add rule ip berth-proxy (\S+) /.exec(command)?.[1]
    if (rule !== undefined) now.chains.set(rule, (now.chains.get(rule) ?? 0) + 1)
  }
  for (const verdict of [...(now.elements.get('services')?.values() ?? []), ...(now.elements.get('no_endpoints')?.values() ?? [])]) {
    if (!now.chains.has(verdict.replace('goto ', ''))) throw new Error(`dangling verdict ${verdict}`)
  }
  return now
}

function sync(model: ProxyModel, table: Actual): { table: Actual; commands: string[] } {
  const { commands, done } = model.commands()
  const next = execute(table, commands)
  done()
  return { table: next, commands }
}

/** Where a frontend leads, without regard to places: its endpoints, or the verdict. */
function leads(table: Actual, key: string): string[] {
  const under = (map: MapName): string[] => [...(table.elements.get(map) ?? [])].filter(([at]) => at.startsWith(`${key} . `)).map(([, value]) => value)
  const verdict = table.elements.get('services')?.get(key) ?? table.elements.get('no_endpoints')?.get(key) ?? 'none'
  return [verdict, ...new Set([...under('endpoints'), ...under('affinity_endpoints')].toSorted())]
}

describe('the model of the table', () => {
  test('the first sync creates the table with everything in it', () => {
    const model = new ProxyModel(settings)
    model.setService('default/web', service(frontend('10.96.0.1 . tcp . 80', ['10.244.1.2 . 80', '10.244.1.3 . 80'])))
    model.setService('default/none', service(frontend('10.96.0.2 . tcp . 80', [])))
    const { table, commands } = sync(model, emptyActual())
    expect(commands.slice(0, 2)).toEqual(['add table ip berth-proxy', 'delete table ip berth-proxy'])
    expect(leads(table, '10.96.0.1 . tcp . 80')).toEqual(['goto outside-2', '10.244.1.2 . 80', '10.244.1.3 . 80'])
    expect(leads(table, '10.96.0.2 . tcp . 80')).toEqual(['goto refuse'])
    expect(model.dirty).toBe(false)
  })

  test('a lost endpoint changes the verdict and as few elements as possible', () => {
    const model = new ProxyModel(settings)
    const key = '10.96.0.1 . tcp . 80'
    model.setService('default/web', service(frontend(key, ['a . 1', 'b . 1', 'c . 1'])))
    const { table } = sync(model, emptyActual())
    model.setService('default/web', service(frontend(key, ['b . 1', 'c . 1'])))
    expect(sync(model, table).commands).toEqual([
      'add chain ip berth-proxy outside-2',
      'add rule ip berth-proxy outside-2 ip saddr != 10.244.0.0/16 jump mark_masquerade',
      'add rule ip berth-proxy outside-2 ip saddr != 10.244.0.0/16 dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 2 offset 0 map @endpoints',
      'add rule ip berth-proxy outside-2 dnat ip to ip daddr . meta l4proto . th dport . numgen random mod 2 offset 0 map @endpoints',
      `delete element ip berth-proxy services { ${key} }`,
      `delete element ip berth-proxy endpoints { ${key} . 0, ${key} . 2 }`,
      `add element ip berth-proxy services { ${key} : goto outside-2 }`,
      `add element ip berth-proxy endpoints { ${key} . 0 : c . 1 }`,
    ])
  })

  test('an unchanged service costs nothing', () => {
    const model = new ProxyModel(settings)
    const rules = (): ServiceRules => service(frontend('10.96.0.1 . tcp . 80', ['a . 1']))
    model.setService('default/web', rules())
    sync(model, emptyActual())
    expect([model.setService('default/web', rules()), model.dirty]).toEqual([false, false])
  })

  test('marks of affinity stay with their endpoint when others go', () => {
    const model = new ProxyModel(settings)
    const key = '10.96.0.1 . tcp . 80'
    const sticky = (endpoints: string[]): ServiceRules => service(frontend(key, endpoints, { affinity: 60 }))
    model.setService('default/web', sticky(['a . 1', 'b . 1', 'c . 1']))
    let { table } = sync(model, emptyActual())
    const markOfC = [...(table.elements.get('affinity_endpoints') ?? [])].filter(([, endpoint]) => endpoint === 'c . 1').map(([at]) => at)
    expect(markOfC).toEqual([`${key} . 0xbe000002`, `${key} . 0xbe004002`])
    model.setService('default/web', sticky(['c . 1', 'd . 1']))
    ;({ table } = sync(model, table))
    expect(markOfC.map((at) => table.elements.get('affinity_endpoints')?.get(at))).toEqual(['c . 1', 'c . 1'])
    expect(leads(table, key)).toEqual(['goto outside-2-stick60', 'c . 1', 'd . 1'])
  })

  test('of two services with one external address the first by name has it, then the other', () => {
    const model = new ProxyModel(settings)
    const key = '192.0.2.1 . tcp . 80'
    model.setService('default/b', service(frontend(key, ['b . 1'])))
    model.setService('default/a', service(frontend(key, ['a . 1'])))
    let { table } = sync(model, emptyActual())
    expect(leads(table, key)).toEqual(['goto outside-1', 'a . 1'])
    model.setService('default/a', undefined)
    ;({ table } = sync(model, table))
    expect(leads(table, key)).toEqual(['goto outside-1', 'b . 1'])
    expect([...(table.elements.get('cluster_ips')?.keys() ?? [])]).toEqual(['192.0.2.1'])
  })

  test('what somebody changed is put right, and a table with a changed chain is built anew', () => {
    const model = new ProxyModel(settings)
    const key = '10.96.0.1 . tcp . 80'
    model.setService('default/web', service(frontend(key, ['a . 1'])))
    const { table } = sync(model, emptyActual())
    const meddled = execute(table, [`delete element ip berth-proxy services { ${key} }`, `add element ip berth-proxy cluster_ips { 1.2.3.4 }`])
    model.setActual(meddled)
    const repaired = sync(model, meddled)
    expect(repaired.table.elements).toEqual(table.elements)
    expect(repaired.commands).toHaveLength(2)
    table.chains.set('nat_prerouting', 0)
    model.setActual(table)
    expect(sync(model, table).commands[1]).toBe('delete table ip berth-proxy')
  })

  test('after any sequence of changes, restarts and refusals the table leads where services say', () => {
    let seed = 99
    const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n
    const names = ['a', 'b', 'c', 'd']
    const wanted = new Map<string, ServiceRules>()
    let model = new ProxyModel(settings)
    let table = emptyActual()
    model.setActual(undefined)
    for (let round = 0; round < 400; round++) {
      for (let changes = random(3); changes >= 0; changes--) {
        const name = names[random(4)] ?? 'a'
        const endpoints = Array.from({ length: 7 }, (_, i) => `10.244.0.${i} . 80`).filter(() => random(2) === 0)
        const more: Partial<Frontend> = [{}, { affinity: 30 }, { inside: endpoints, masquerade: 'never' as const, otherwise: 'drop' as const }, { sources: ['10.0.0.0/8'] }][random(4)] ?? {}
        const rules = random(6) === 0 ? undefined : service(frontend(`10.96.0.${names.indexOf(name)} . tcp . 80`, more.inside ? endpoints.slice(1) : endpoints, more))
        if (rules) wanted.set(name, rules)
        else wanted.delete(name)
        model.setService(name, rules)
      }
      const mishap = random(10)
      if (mishap === 0) {
        // A restart: what is known is what is read.
        model = new ProxyModel(settings)
        for (const [name, rules] of wanted) model.setService(name, rules)
        model.setActual(structuredClone(table))
      } else if (mishap === 1) {
        model.commands() // refused by the kernel: done() is never called
        model.setActual(structuredClone(table))
      }
      ;({ table } = sync(model, table))
      for (const [i, name] of names.entries()) {
        const key = `10.96.0.${i} . tcp . 80`
        const rules = wanted.get(name)?.frontends[0]
        const all = [...new Set([...(rules?.endpoints ?? []), ...(rules?.inside ?? [])])].toSorted()
        expect(leads(table, key).slice(1)).toEqual(all)
        expect(table.elements.get('services')?.has(key)).toBe(all.length > 0)
        expect(table.elements.get('firewall')?.has(key)).toBe(rules?.sources !== undefined)
      }
    }
  })
})

test('the listing of nft is read back', () => {
  const text = `table ip berth-proxy {
\tmap services {
\t\ttype ipv4_addr . inet_proto . inet_service : verdict
\t\telements = { 10.96.0.1 . tcp . 80 : goto outside-2,
\t\t\t     10.96.0.2 . udp . 53 : goto outside-1 }
\t}

\tset cluster_ips {
\t\ttype ipv4_addr
\t\telements = { 10.96.0.1, 10.96.0.2 }
\t}

\tchain nat_output {
\t\ttype nat hook output priority -100; policy accept;
\t\tip daddr . meta l4proto . th dport vmap @services
\t}
}`
  const actual = parseListing(text)
  expect(actual.elements.get('services')).toEqual(new Map([['10.96.0.1 . tcp . 80', 'goto outside-2'], ['10.96.0.2 . udp . 53', 'goto outside-1']]))
  expect(actual.elements.get('cluster_ips')).toEqual(new Map([['10.96.0.1', ''], ['10.96.0.2', '']]))
  expect(actual.chains).toEqual(new Map([['nat_output', 1]]))
})
