import { expect, test } from 'vitest'
import type { Frontend } from '../services/frontends.ts'
import { deleteArguments, findStale, parseFlows } from './stale.ts'

const listing = `udp      17 29 src=10.244.1.2 dst=10.96.0.10 sport=40000 dport=53 src=10.244.2.7 dst=10.244.1.2 sport=5353 dport=40000 mark=0 use=1
udp      17 29 src=10.244.1.3 dst=10.96.0.10 sport=40001 dport=53 [UNREPLIED] src=10.244.2.8 dst=10.244.1.3 sport=5353 dport=40001 mark=0 use=1
udp      17 29 src=10.244.1.3 dst=10.96.0.11 sport=40001 dport=53 [UNREPLIED] src=10.96.0.11 dst=10.244.1.3 sport=53 dport=40001 mark=0 use=1
udp      17 29 src=10.244.1.3 dst=8.8.8.8 sport=40001 dport=53 src=8.8.8.8 dst=10.244.1.3 sport=53 dport=40001 mark=0 use=1
`
const frontend = (endpoints: string[]): Frontend => ({ key: '', masquerade: 'outside', affinity: 0, endpoints, inside: undefined, otherwise: 'reject', sources: undefined })

test('flows to endpoints that are gone, and flows past a service, are stale; others are left alone', () => {
  const services: Record<string, Frontend> = { '10.96.0.10 . udp . 53': frontend(['10.244.2.7 . 5353']), '10.96.0.11 . udp . 53': frontend(['10.244.2.9 . 53']) }
  const stale = findStale(parseFlows(listing), (key) => services[key])
  expect(stale.map((flow) => deleteArguments(flow).join(' '))).toEqual([
    '-D -p udp --orig-dst 10.96.0.10 --orig-port-dst 53 --reply-src 10.244.2.8 --reply-port-src 5353',
    '-D -p udp --orig-dst 10.96.0.11 --orig-port-dst 53 --reply-src 10.96.0.11 --reply-port-src 53',
  ])
})
