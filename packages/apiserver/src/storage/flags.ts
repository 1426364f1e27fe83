// kube-apiserver's flags of its storage, and the settings they make.
import { CommandError } from '@berth/kube'
import type { FlagValues } from '@berth/kube'
import type { EtcdOptions } from '../interfaces.ts'

const group = 'Storage'

export const storageFlags = {
  'storage-backend': { type: 'string', description: 'The storage backend for persistence: sqlite (a file in --data-dir) or etcd3. Default: etcd3 where --etcd-servers is given, else sqlite.', group },
  'storage-media-type': { type: 'string', default: 'application/vnd.kubernetes.protobuf', description: 'The media type to use to store objects in etcd: application/vnd.kubernetes.protobuf, application/json. Some resources are stored in JSON whatever it says.', group },
  'etcd-servers': { type: 'string[]', description: 'List of etcd servers to connect with (scheme://ip:port), comma separated.', group },
  'etcd-prefix': { type: 'string', default: '/registry', description: 'The prefix to prepend to all resource paths in etcd.', group },
  'etcd-cafile': { type: 'string', description: 'SSL Certificate Authority file used to secure etcd communication.', group },
  'etcd-certfile': { type: 'string', description: 'SSL certification file used to secure etcd communication.', group },
  'etcd-keyfile': { type: 'string', description: 'SSL key file used to secure etcd communication.', group },
  'etcd-compaction-interval': { type: 'duration', default: '5m0s', description: 'The interval of compaction requests. If 0, the compaction request from apiserver is disabled.', group },
  'etcd-healthcheck-timeout': { type: 'duration', default: '2s', description: 'The timeout to use when checking etcd health.', group },
  'etcd-readycheck-timeout': { type: 'duration', default: '2s', description: 'The timeout to use when checking etcd readiness.', group },
} as const

/** What the flags set. Throws CommandError, worded as upstream, where they do not go together. */
export function storageOptionsOf(given: FlagValues<typeof storageFlags>): { storage: 'sqlite' | 'etcd3', etcd: EtcdOptions } {
  const servers = given['etcd-servers'].flatMap((server) => server.split(',')).map((server) => server.trim()).filter((server) => server !== '')
  const backend = given['storage-backend'] ?? ''
  if (!['', 'sqlite', 'etcd3'].includes(backend)) throw new CommandError(`--storage-backend invalid, allowed values: sqlite, etcd3. If not specified, it will default to 'etcd3' where --etcd-servers is given, else to 'sqlite'`)
  if (backend === 'etcd3' && servers.length === 0) throw new CommandError('--etcd-servers must be specified')
  if (backend === 'sqlite' && servers.length > 0) throw new CommandError('--etcd-servers cannot be specified with --storage-backend=sqlite')
  const mediaType = given['storage-media-type']
  if (mediaType !== 'application/vnd.kubernetes.protobuf' && mediaType !== 'application/json') throw new CommandError(`--storage-media-type ${JSON.stringify(mediaType)} invalid, allowed values: application/json, application/vnd.kubernetes.protobuf`)
  const { 'etcd-cafile': caFile, 'etcd-certfile': certFile, 'etcd-keyfile': keyFile } = given
  return {
    storage: servers.length > 0 ? 'etcd3' : 'sqlite',
    etcd: {
      servers, prefix: given['etcd-prefix'], compactionIntervalMs: given['etcd-compaction-interval'], healthcheckTimeoutMs: given['etcd-healthcheck-timeout'],
      readycheckTimeoutMs: given['etcd-readycheck-timeout'], mediaType, ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }),
    },
  }
}
