import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Identity } from './identity.ts'
import { Load } from './load.ts'
import type { Kind } from './objects.ts'
import { definitions } from './objects.ts'
import { findProgram, freePort, Program } from '../program.ts'

/** A server that runs, with everything that it needs to run. */
export class Server {
  readonly load: Load
  readonly #programs: readonly Program[]

  constructor(load: Load, programs: readonly Program[]) {
    this.load = load
    this.#programs = programs
  }

  cpuSeconds(): number {
    return this.#programs.reduce((sum, program) => sum + program.cpuSeconds(), 0)
  }

  rssMiB(): number {
    return this.#programs.reduce((sum, program) => sum + program.rssMiB(), 0)
  }

  async stop(): Promise<void> {
    this.load.close()
    for (const program of this.#programs.toReversed()) await program.stop()
  }
}

/** A control plane that is measured. */
export interface Contender {
  readonly name: string
  readonly isOurs: boolean
  readonly servesBuiltIn: boolean
  /** Starts on what is in `directory`; resolves when /readyz answers ok. */
  start(directory: string): Promise<Server>
}

/** Waits; what does not get ready is ended. */
async function untilReady(load: Load, programs: readonly Program[], ready = '/readyz'): Promise<Server> {
  for (const end = Date.now() + 60_000; ;) {
    const status = await load.ask('GET', ready).then((answer) => answer.status, () => 0)
    if (status === 200) return new Server(load, programs)
    if (Date.now() > end || programs.some((program) => !program.isRunning)) {
      await Promise.all(programs.map((program) => program.stop()))
      throw new Error(`the server is not ready: ${programs.map((program) => program.said()).join('\n')}`)
    }
    await sleep(2)
  }
}

/** Berth's API server, on SQLite or on the etcd that is named. */
export function berth(argv: readonly string[], identity: Identity, etcd?: string): Contender {
  return {
    name: etcd === undefined ? 'Berth' : 'Berth on etcd', isOurs: true, servesBuiltIn: true,
    async start(directory) {
      const port = await freePort()
      fs.mkdirSync(directory, { recursive: true })
      const store = etcd === undefined ? undefined : await startEtcd(etcd, directory)
      const program = new Program([
        ...argv, 'apiserver', '--data-dir', path.join(directory, 'data'), '--bind-address', '127.0.0.1', '--advertise-address', '192.0.2.1', '--secure-port', String(port),
        '--client-ca-file', identity.files.ca, '--tls-cert-file', identity.files.servingCertificate, '--tls-private-key-file', identity.files.servingKey,
        ...(store ? ['--etcd-servers', store.url] : []),
      ], path.join(directory, 'apiserver.log'), { MALLOC_ARENA_MAX: '2' })
      return untilReady(new Load(port, identity), [...(store ? [store.program] : []), program])
    },
  }
}

async function startEtcd(etcd: string, directory: string): Promise<{ program: Program; url: string }> {
  fs.mkdirSync(directory, { recursive: true })
  const [client, peer] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${client}`
  const program = new Program([
    etcd, '--data-dir', path.join(directory, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', `http://127.0.0.1:${peer}`,
    '--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`, '--initial-cluster', `default=http://127.0.0.1:${peer}`, '--quota-backend-bytes', String(4 * 2 ** 30),
  ], path.join(directory, 'etcd.log'))
  for (const end = Date.now() + 30_000; ;) {
    const isHealthy = await fetch(`${url}/health`).then((answer) => answer.ok, () => false)
    if (isHealthy) return { program, url }
    if (Date.now() > end || !program.isRunning) {
      await program.stop()
      throw new Error(`etcd is not ready: ${program.said()}`)
    }
    await sleep(2)
  }
}

/** What kube-apiserver and the generic server are told alike. */
function stockFlags(identity: Identity, port: number, etcd: string, directory: string): string[] {
  return [
    `--etcd-servers=${etcd}`, '--bind-address=127.0.0.1', `--secure-port=${port}`, `--cert-dir=${path.join(directory, 'certs')}`, `--client-ca-file=${identity.files.ca}`,
    `--tls-cert-file=${identity.files.servingCertificate}`, `--tls-private-key-file=${identity.files.servingKey}`,
  ]
}

/** kube-apiserver on etcd. */
function kubeApiServer(program: string, etcd: string, identity: Identity): Contender {
  return {
    name: 'kube-apiserver and etcd', isOurs: false, servesBuiltIn: true,
    async start(directory) {
      const store = await startEtcd(etcd, directory)
      const port = await freePort()
      const server = new Program([
        program, ...stockFlags(identity, port, store.url, directory), '--authorization-mode=Node,RBAC', '--service-account-issuer=https://kubernetes.default.svc', `--service-account-key-file=${identity.files.servingKey}`,
        `--service-account-signing-key-file=${identity.files.servingKey}`, '--disable-admission-plugins=ServiceAccount', '--service-cluster-ip-range=10.96.0.0/16',
      ], path.join(directory, 'apiserver.log'))
      return untilReady(new Load(port, identity), [store.program, server])
    },
  }
}

/** The stock generic API server: CustomResourceDefinitions and what they define, on etcd. There is no cluster for it to ask about users and namespaces, which spares it work. */
function genericServer(program: string, etcd: string, identity: Identity): Contender {
  return {
    name: 'apiextensions-apiserver and etcd', isOurs: false, servesBuiltIn: false,
    async start(directory) {
      const store = await startEtcd(etcd, directory)
      const port = await freePort()
      const { kubeconfig } = identity.files
      const server = new Program([
        program, ...stockFlags(identity, port, store.url, directory), `--kubeconfig=${kubeconfig}`, `--authentication-kubeconfig=${kubeconfig}`, `--authorization-kubeconfig=${kubeconfig}`, '--authentication-skip-lookup',
        '--disable-admission-plugins=NamespaceLifecycle,MutatingAdmissionPolicy,MutatingAdmissionWebhook,ValidatingAdmissionPolicy,ValidatingAdmissionWebhook', '--enable-priority-and-fairness=false',
      ], path.join(directory, 'apiserver.log'))
      return untilReady(new Load(port, identity), [store.program, server], '/readyz?exclude=informer-sync')
    },
  }
}

/** The best peer of this machine: kube-apiserver on etcd, else the generic server on etcd; undefined when there is neither. */
export function findPeer(identity: Identity): Contender | undefined {
  const etcd = findProgram('etcd')
  const whole = findProgram('kube-apiserver')
  const generic = findProgram('apiextensions-apiserver')
  if (etcd === undefined) return undefined
  if (whole !== undefined) return kubeApiServer(whole, etcd, identity)
  return generic === undefined ? undefined : genericServer(generic, etcd, identity)
}

/** Makes a server serve the custom kinds, and the namespaces that the objects are in. */
export async function prepare(server: Server, contender: Contender, kinds: readonly Kind[], namespaces: readonly string[]): Promise<void> {
  for (const definition of definitions) {
    const { status, body } = await server.load.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', JSON.stringify(definition))
    if (status !== 201 && status !== 409) throw new Error(`the definition is refused: ${status} ${body.toString()}`)
  }
  for (const name of contender.servesBuiltIn ? namespaces : []) {
    await server.load.ask('POST', '/api/v1/namespaces', JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
    // No controllers run: what they would make is made here.
    await server.load.ask('POST', `/api/v1/namespaces/${name}/serviceaccounts`, JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }))
  }
  for (const kind of kinds) {
    for (const end = Date.now() + 30_000; (await server.load.ask('GET', kind.collection(namespaces[0] ?? 'default'))).status !== 200;) {
      if (Date.now() > end) throw new Error(`${contender.name} does not serve ${kind.name}`)
      await sleep(50)
    }
  }
}
