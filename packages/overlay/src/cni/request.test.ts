import { describe, expect, test } from 'vitest'
import { CniFailure } from '../errors.ts'
import { findTakenPort } from '../attach/attachments.ts'
import { parseRequest } from './request.ts'

const env = (more: Record<string, string> = {}): Map<string, string> =>
  new Map(Object.entries({ CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'abc', CNI_IFNAME: 'eth0', CNI_NETNS: '/run/netns/x', ...more }))
const conf = (more: object = {}): string => JSON.stringify({ cniVersion: '1.0.0', name: 'berth', type: 'berth', ...more })

describe('a CNI call', () => {
  test('is read with its host ports; a container port without a host port is none', () => {
    const portMappings = [{ hostPort: 80, containerPort: 8080, protocol: 'TCP', hostIP: '0.0.0.0' }, { hostPort: 0, containerPort: 9, protocol: 'tcp' }]
    expect(parseRequest(env(), conf({ runtimeConfig: { portMappings } }))).toEqual({
      command: 'ADD', version: '1.0.0', containerId: 'abc', ifName: 'eth0', netns: '/run/netns/x', dns: undefined, ports: [{ hostIP: '', hostPort: 80, containerPort: 8080, protocol: 'tcp' }],
    })
  })

  test('DEL needs no namespace', () => {
    expect(parseRequest(env({ CNI_COMMAND: 'DEL', CNI_NETNS: '' }), conf())).toEqual({ command: 'DEL', version: '1.0.0', containerId: 'abc', ifName: 'eth0' })
  })

  test.each([
    [env({ CNI_CONTAINERID: '' }), conf(), 4, 'required env variables [CNI_CONTAINERID] missing'],
    [env({ CNI_CONTAINERID: '../x' }), conf(), 4, 'invalid CNI_CONTAINERID'],
    [env({ CNI_IFNAME: 'a/b' }), conf(), 4, 'invalid CNI_IFNAME'],
    [env({ CNI_IFNAME: '..' }), conf(), 4, 'invalid CNI_IFNAME'],
    [env({ CNI_NETNS: '/run/with space' }), conf(), 4, 'invalid CNI_NETNS'],
    [env({ CNI_COMMAND: 'FROB' }), conf(), 4, 'unknown CNI_COMMAND: FROB'],
    [env(), '{', 6, 'no JSON'],
    [env(), conf({ cniVersion: '0.1.0' }), 1, 'incompatible CNI versions'],
    [env(), conf({ bridge: 'cni0' }), 2, '"bridge"'],
    [env(), conf({ runtimeConfig: { portMappings: [{ hostPort: 99999, containerPort: 1 }] } }), 7, 'runtimeConfig.portMappings[0].hostPort'],
    [env(), conf({ runtimeConfig: { portMappings: [{ hostPort: 1, containerPort: 1, protocol: 'icmp' }] } }), 7, '"icmp" is none of'],
    [env({ CNI_COMMAND: 'GC' }), conf(), 7, 'cni.dev/valid-attachments'],
  ])('is refused with the code of the specification (%#)', (environment, text, code, words) => {
    let thrown: unknown
    try {
      parseRequest(environment, text)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(CniFailure)
    expect(thrown).toMatchObject({ code, message: expect.stringContaining(words) })
  })
})

test.each([
  { title: 'the same port everywhere', a: '', b: '', clash: true },
  { title: 'everywhere and on one address', a: '10.0.0.1', b: '', clash: true },
  { title: 'on two addresses', a: '10.0.0.1', b: '10.0.0.2', clash: false },
])('host ports clash or not: $title', ({ a, b, clash }) => {
  const port = (hostIP: string) => ({ hostIP, hostPort: 80, containerPort: 8080, protocol: 'tcp' as const })
  expect(findTakenPort([{ containerId: 'x', ifName: 'eth0', address: '10.244.1.2', ports: [port(a)] }], [port(b)]) !== undefined).toBe(clash)
  expect(findTakenPort([{ containerId: 'x', ifName: 'eth0', address: '10.244.1.2', ports: [{ ...port(a), protocol: 'udp' }] }], [port(b)])).toBeUndefined()
})
