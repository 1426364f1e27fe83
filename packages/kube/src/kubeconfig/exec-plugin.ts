import { spawn } from 'node:child_process'
import type { ExecConfig, KubeconfigCluster } from './kubeconfig.ts'
import { KubeconfigError } from './kubeconfig.ts'

/** What a credential plugin gave. */
export interface ExecCredential {
  token?: string
  cert?: string
  key?: string
}

export interface ExecPlugin {
  /** Asks the plugin, or gives what it gave until that expires. */
  credential(): Promise<ExecCredential>
  /** The server refused what we have: ask again next time. */
  forget(): void
}

const versions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']
/** How long a plugin may take. */
const timeoutMs = 60_000

/** A client-go credential plugin: an executable that prints an ExecCredential. It is run without a terminal. */
export function execPlugin(config: ExecConfig, cluster: KubeconfigCluster): ExecPlugin {
  const { command, apiVersion = '' } = config
  if (command === undefined || command === '') throw new KubeconfigError('exec: command is missing')
  if (!versions.includes(apiVersion)) throw new KubeconfigError(`exec plugin: invalid apiVersion ${JSON.stringify(apiVersion)}`)
  if (config.interactiveMode === 'Always') throw new KubeconfigError(`exec plugin ${command}: interactiveMode Always is not supported, there is no terminal`)
  let known: { credential: ExecCredential; until: number } | undefined
  let asking: Promise<ExecCredential> | undefined

  const ask = async (): Promise<ExecCredential> => {
    const info = { kind: 'ExecCredential', apiVersion, spec: { interactive: false, ...(config.provideClusterInfo === true ? { cluster: clusterInfo(cluster) } : {}) } }
    const env: NodeJS.ProcessEnv = { ...process.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) }
    for (const { name, value } of config.env ?? []) env[name] = value
    const output = await run(command, config.args ?? [], env, config.installHint)
    const { credential, expires } = parseCredential(command, apiVersion, output)
    known = { credential, until: expires }
    return credential
  }
  return {
    credential() {
      if (known !== undefined && Date.now() < known.until) return Promise.resolve(known.credential)
      asking ??= ask().finally(() => { asking = undefined })
      return asking
    },
    forget() {
      known = undefined
    },
  }
}

function parseCredential(command: string, apiVersion: string, output: string): { credential: ExecCredential; expires: number } {
  const fail = (reason: string): never => { throw new KubeconfigError(`exec plugin ${command}: ${reason}`) }
  let parsed: { apiVersion?: string; kind?: string; status?: { token?: string; clientCertificateData?: string; clientKeyData?: string; expirationTimestamp?: string } }
  try {
    parsed = JSON.parse(output) as typeof parsed
  } catch {
    return fail('its output is not JSON')
  }
  if (parsed.kind !== 'ExecCredential' || parsed.apiVersion !== apiVersion) return fail(`plugin returned version ${String(parsed.apiVersion)}, expected ${apiVersion}`)
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = parsed.status ?? {}
  if (token === undefined && cert === undefined && key === undefined) return fail('exec plugin didn\'t return a token or cert/key pair')
  if ((cert === undefined) !== (key === undefined)) return fail('exec plugin returned only certificate or key, not both')
  const expires = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp)
  return { credential: { token, cert, key }, expires: Number.isNaN(expires) ? fail(`bad expirationTimestamp ${JSON.stringify(expirationTimestamp)}`) : expires }
}

function clusterInfo(cluster: KubeconfigCluster): object {
  return {
    server: cluster.server,
    ...(cluster['tls-server-name'] === undefined ? {} : { 'tls-server-name': cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(cluster['certificate-authority-data'] === undefined ? {} : { 'certificate-authority-data': cluster['certificate-authority-data'] }),
  }
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, hint: string | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
    let out = ''
    let err = ''
    child.stdout.on('data', (data) => { out += String(data) })
    child.stderr.on('data', (data) => { err = (err + String(data)).slice(-4096) })
    child.on('error', (error) => reject(new KubeconfigError(`exec: executable ${command} failed: ${error.message}${hint === undefined ? '' : `\n\n${hint}`}`, { cause: error })))
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out)
      else reject(new KubeconfigError(`exec: executable ${command} failed with exit code ${code ?? signal ?? ''}: ${err.trim()}`))
    })
  })
}
