// The wire to etcd: unary calls and watches over gRPC, to whichever of the servers answers.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js'
import * as messages from './messages.ts'

/** Where etcd is and how to reach it: upstream's --etcd-servers, --etcd-cafile, --etcd-certfile, --etcd-keyfile. */
export interface EtcdAddress {
  /** `scheme://host:port` each. */
  servers: readonly string[]
  caFile?: string
  certFile?: string
  keyFile?: string
}

/** A call that failed. `code` is gRPC's. */
export class EtcdError extends Error {
  readonly code: number
  constructor(code: number, details: string, options?: ErrorOptions) {
    // etcd's own errors stand for themselves, as in upstream's client.
    super(details.startsWith('etcdserver:') ? details : `rpc error: code = ${codeName(code)} desc = ${details}`, options)
    this.name = 'EtcdError'
    this.code = code
  }

  /** The call has not reached a server: it may be made again, whatever it does. */
  get unsent(): boolean {
    return this.code === status.UNAVAILABLE && /No connection established|Name resolution failed/.test(this.message)
  }

  /** A revision was asked for that is compacted away. */
  get compacted(): boolean {
    return this.code === status.OUT_OF_RANGE && this.message.includes('compacted')
  }
}

/** gRPC's name of a code as Go prints it: DeadlineExceeded. */
function codeName(code: number): string {
  const name = status[code] ?? 'UNKNOWN'
  return name.split('_').map((word) => word[0] + word.slice(1).toLowerCase()).join('')
}

/** A watch of a range of keys; ends with an EtcdError or by `cancel`. */
export interface EtcdWatch extends AsyncIterable<messages.WatchResponse> {
  cancel(): void
}

/** How long one call may take: upstream leaves it to the request's own deadline, which is a minute. */
const callTimeoutMs = 60_000
const retryMs = 100

const channelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // Two clients of one etcd (tests, a migration) must not share a connection that one of them closes.
  'grpc.use_local_subchannel_pool': 1,
}

/** Makes a client; it connects when it is first used. Throws when an address or a file is wrong. */
export function etcdClient(address: EtcdAddress): EtcdClient {
  return new EtcdClient(address)
}

export class EtcdClient {
  readonly #channels: Client[]
  #at = 0
  #closed = false

  constructor(address: EtcdAddress) {
    if (address.servers.length === 0) throw new Error('--etcd-servers must be specified')
    const secure = secureCredentials(address)
    this.#channels = address.servers.map((server) => {
      const { target, host, tls } = targetOf(server)
      if (!tls) return new Client(target, credentials.createInsecure(), channelOptions)
      // Node lets no address be a TLS server name, and gRPC makes it one: another name goes on the wire, and the certificate is held to the address.
      return new Client(target, secure(host), isIP(host) === 0 ? channelOptions : { ...channelOptions, 'grpc.ssl_target_name_override': 'etcd' })
    })
  }

  /** A range of keys: linearizable. Tried again at the next server while none answers. */
  range(request: messages.RangeRequest, timeoutMs = callTimeoutMs): Promise<messages.RangeResponse> {
    return this.#repeatable('/etcdserverpb.KV/Range', messages.encodeRange(request), messages.decodeRange, timeoutMs)
  }

  /** Every key of a range at one revision, read in pages. */
  async* rangeAll(request: { key: string, rangeEnd: string, revision?: number }, pageSize = 1000): AsyncGenerator<messages.RangeResponse> {
    let { key, revision = 0 } = request
    for (;;) {
      const page = await this.range({ key, rangeEnd: request.rangeEnd, limit: pageSize, revision })
      if (revision === 0) revision = page.revision
      yield { ...page, revision }
      const last = page.kvs.at(-1)
      if (!page.more || !last) return
      key = `${last.key}\0`
    }
  }

  /** A transaction. Made once: when it fails on the way, nobody knows whether it took place. */
  async txn(request: messages.TxnRequest, timeoutMs = callTimeoutMs): Promise<messages.TxnResponse> {
    const body = messages.encodeTxn(request)
    for (let left = this.#channels.length; ; left--) {
      try {
        return await this.#call('/etcdserverpb.KV/Txn', body, messages.decodeTxn, timeoutMs)
      } catch (error) {
        if (left <= 1 || !(error instanceof EtcdError) || !error.unsent) throw error
      }
    }
  }

  /** Drops what is older than a revision. */
  async compact(revision: number): Promise<void> {
    await this.#call('/etcdserverpb.KV/Compact', messages.encodeCompaction(revision), () => undefined, callTimeoutMs)
  }

  async leaseGrant(ttlSeconds: number): Promise<{ id: bigint, ttlSeconds: number }> {
    return this.#repeatable('/etcdserverpb.Lease/LeaseGrant', messages.encodeLeaseGrant(ttlSeconds), messages.decodeLeaseGrant, callTimeoutMs)
  }

  async status(timeoutMs = callTimeoutMs): Promise<{ version: string, dbSize: number }> {
    return this.#repeatable('/etcdserverpb.Maintenance/Status', new Uint8Array(), messages.decodeStatus, timeoutMs)
  }

  /** Watches a range from a revision on. A member that has lost its leader ends it, so that another one is asked. */
  watch(request: { key: string, rangeEnd: string, startRevision: number }): EtcdWatch {
    const metadata = new Metadata()
    metadata.set('hasleader', 'true')
    const at = this.#at
    const call = this.#channel(at).makeBidiStreamRequest('/etcdserverpb.Watch/Watch', (bytes: Uint8Array) => Buffer.from(bytes), messages.decodeWatch, metadata)
    call.write(messages.encodeWatchCreate(request))
    return {
      cancel: () => call.cancel(),
      [Symbol.asyncIterator]: async function* (this: EtcdClient): AsyncGenerator<messages.WatchResponse> {
        try {
          for await (const response of call) yield response as messages.WatchResponse
        } catch (error) {
          this.#rotate(at)
          throw errorOf(error)
        } finally {
          call.cancel()
        }
      }.bind(this),
    }
  }

  close(): void {
    this.#closed = true
    for (const channel of this.#channels) channel.close()
  }

  #channel(at: number): Client {
    const channel = this.#channels[at]
    if (!channel) throw new Error('no etcd server')
    return channel
  }

  /** The next call goes to the next server, unless somebody has moved on already. */
  #rotate(from: number): void {
    if (this.#at === from) this.#at = (from + 1) % this.#channels.length
  }

  async #repeatable<T>(path: string, body: Uint8Array, decode: (bytes: Uint8Array) => T, timeoutMs: number): Promise<T> {
    const deadline = Date.now() + timeoutMs
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#call(path, body, decode, Math.max(1, deadline - Date.now()))
      } catch (error) {
        const again = error instanceof EtcdError && error.code === status.UNAVAILABLE && !this.#closed && attempt < 2 * this.#channels.length + 1 && Date.now() + retryMs < deadline
        if (!again) throw error
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }

  #call<T>(path: string, body: Uint8Array, decode: (bytes: Uint8Array) => T, timeoutMs: number): Promise<T> {
    const at = this.#at
    return new Promise((resolve, reject) => {
      this.#channel(at).makeUnaryRequest(path, (bytes: Uint8Array) => Buffer.from(bytes), decode, body, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, answer) => {
        if (!error) {
          resolve(answer as T)
          return
        }
        const failure = errorOf(error)
        if (failure.code === status.UNAVAILABLE || failure.code === status.DEADLINE_EXCEEDED) this.#rotate(at)
        reject(failure)
      })
    })
  }
}

function errorOf(error: unknown): EtcdError {
  const { code, details, message } = error as Partial<ServiceError>
  return new EtcdError(code ?? status.UNKNOWN, details || message || String(error), { cause: error })
}

/** grpc-js' name of a server, and whether it speaks TLS. Throws on what is no address. */
function targetOf(server: string): { target: string, host: string, tls: boolean } {
  const url = /^(?:(https?|unixs?):\/\/)?(.+?)\/*$/.exec(server)
  if (!url?.[2]) throw new Error(`--etcd-servers: ${JSON.stringify(server)} is not scheme://host:port`)
  const [, scheme = 'http', rest] = url
  if (scheme.startsWith('unix')) return { target: `unix:/${rest.replace(/^\/?/, '')}`, host: 'localhost', tls: scheme === 'unixs' }
  return { target: `dns:///${rest}`, host: rest.replace(/:\d+$/, '').replaceAll(/[[\]]/g, ''), tls: scheme === 'https' }
}

function secureCredentials({ caFile, certFile, keyFile }: EtcdAddress): (host: string) => ChannelCredentials {
  return (host) => {
    const read = (file: string | undefined): Buffer | null => (file === undefined ? null : readFileSync(file))
    return credentials.createSsl(read(caFile), read(keyFile), read(certFile), { checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate) })
  }
}
