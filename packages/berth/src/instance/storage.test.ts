import { expect, test } from 'vitest'
import { decideStorage } from './storage.ts'

const flags = (given: { backend?: string; servers?: string[] }): Parameters<typeof decideStorage>[1] => ({
  'storage-backend': given.backend, 'storage-media-type': 'application/vnd.kubernetes.protobuf', 'etcd-servers': given.servers ?? [], 'etcd-prefix': '/registry', 'etcd-cafile': undefined,
  'etcd-certfile': undefined, 'etcd-keyfile': undefined, 'etcd-compaction-interval': 300_000, 'etcd-healthcheck-timeout': 2_000, 'etcd-readycheck-timeout': 2_000,
})
const etcd = { servers: ['http://172.30.0.254:2379'], prefix: '/registry', compactionIntervalMs: 300_000, healthcheckTimeoutMs: 2_000, readycheckTimeoutMs: 2_000, mediaType: 'application/vnd.kubernetes.protobuf' as const }

test('a cluster keeps its storage until another one is named', () => {
  expect(decideStorage(undefined, flags({}))).toEqual({})
  expect(decideStorage(etcd, flags({}))).toEqual({ etcd })
  expect(decideStorage(undefined, flags({ servers: ['http://172.30.0.254:2379'] }))).toEqual({ etcd })
  expect(decideStorage(etcd, flags({ servers: ['http://10.0.0.1:2379,http://10.0.0.2:2379'] }))).toEqual({ etcd: { ...etcd, servers: ['http://10.0.0.1:2379', 'http://10.0.0.2:2379'] } })
  expect(decideStorage(etcd, flags({ backend: 'sqlite' }))).toEqual({})
})

test.each(['http://127.0.0.1:2379', 'localhost:2379', 'https://[::1]:2379'])('an etcd at %s would not be found from the control plane\'s namespace', (server) => {
  expect(() => decideStorage(undefined, flags({ servers: [server] }))).toThrow('is the control plane\'s own network namespace')
})

test('what does not go together is refused', () => {
  expect(() => decideStorage(undefined, flags({ backend: 'etcd3' }))).toThrow('--etcd-servers must be specified')
  expect(() => decideStorage(undefined, flags({ backend: 'sqlite', servers: ['http://10.0.0.1:2379'] }))).toThrow('--etcd-servers cannot be specified')
})
