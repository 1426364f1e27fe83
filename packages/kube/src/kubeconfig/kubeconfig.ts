import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parseYaml } from '../config-file/read-config-file.ts'

// The file format of `kubectl config` (kind Config, v1).
export interface KubeconfigCluster {
  server?: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
  'tls-server-name'?: string
  'proxy-url'?: string
}

export interface KubeconfigUser {
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  token?: string
  tokenFile?: string
  username?: string
  password?: string
  as?: string
  'as-uid'?: string
  'as-groups'?: string[]
  'auth-provider'?: unknown
  exec?: ExecConfig
}

export interface ExecConfig {
  apiVersion?: string
  command?: string
  args?: string[] | null
  env?: { name: string; value: string }[] | null
  installHint?: string
  provideClusterInfo?: boolean
  interactiveMode?: 'Never' | 'IfAvailable' | 'Always'
}

/** A cluster, a user and a namespace, chosen by a context. File names in it are absolute. */
export interface KubeconfigChoice {
  context: string
  cluster: KubeconfigCluster
  user: KubeconfigUser
  namespace: string
}

/** A kubeconfig that cannot be used; the message names the file and the entry. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError'
}

interface Named<T> {
  name: string
  value: T
}

interface Loaded {
  current: string
  contexts: Named<{ cluster?: string; user?: string; namespace?: string }>[]
  clusters: Named<KubeconfigCluster>[]
  users: Named<KubeconfigUser>[]
}

/** The files that a kubeconfig is read from: the path given, else `$KUBECONFIG`, else `~/.kube/config`. */
export function kubeconfigPaths(path: string | undefined, env: NodeJS.ProcessEnv = process.env): string[] {
  if (path !== undefined && path !== '') return [resolve(path)]
  const fromEnv = (env['KUBECONFIG'] ?? '').split(delimiter).filter((p) => p !== '')
  if (fromEnv.length > 0) return fromEnv.map((p) => resolve(p)).filter((p) => existsSync(p))
  const home = join(env['HOME'] ?? homedir(), '.kube', 'config')
  return existsSync(home) ? [home] : []
}

/** Reads the files (the first to name a thing wins, as kubectl merges them) and chooses a context. Throws {@link KubeconfigError}. */
export async function loadKubeconfig(paths: readonly string[], context?: string): Promise<KubeconfigChoice> {
  const merged: Loaded = { current: '', contexts: [], clusters: [], users: [] }
  for (const path of paths) {
    const loaded = await readOne(path)
    merged.current ||= loaded.current
    merged.contexts.push(...loaded.contexts)
    merged.clusters.push(...loaded.clusters)
    merged.users.push(...loaded.users)
  }
  const where = paths.join(delimiter)
  const name = context ?? merged.current
  if (name === '') throw new KubeconfigError(`${where}: no current-context, and none was asked for`)
  const chosen = find(merged.contexts, name)
  if (chosen === undefined) throw new KubeconfigError(`${where}: context ${JSON.stringify(name)} does not exist`)
  const cluster = find(merged.clusters, chosen.cluster ?? '')
  if (cluster === undefined) throw new KubeconfigError(`${where}: cluster ${JSON.stringify(chosen.cluster ?? '')} of context ${JSON.stringify(name)} does not exist`)
  const user = chosen.user === undefined || chosen.user === '' ? {} : find(merged.users, chosen.user)
  if (user === undefined) throw new KubeconfigError(`${where}: user ${JSON.stringify(chosen.user)} of context ${JSON.stringify(name)} does not exist`)
  if (cluster.server === undefined || cluster.server === '') throw new KubeconfigError(`${where}: cluster ${JSON.stringify(chosen.cluster ?? '')} has no server`)
  return { context: name, cluster, user, namespace: chosen.namespace ?? 'default' }
}

function find<T>(entries: Named<T>[], name: string): T | undefined {
  return entries.find((entry) => entry.name === name)?.value
}

async function readOne(path: string): Promise<Loaded> {
  let value: Record<string, unknown>
  try {
    value = await parseYaml(readFileSync(path, 'utf8')) as Record<string, unknown>
  } catch (error) {
    throw new KubeconfigError(`error loading config file ${JSON.stringify(path)}: ${(error as Error).message}`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || (value['kind'] !== undefined && value['kind'] !== 'Config')) throw new KubeconfigError(`error loading config file ${JSON.stringify(path)}: it is no Config`)
  const entries = <T>(list: string, member: string): Named<T>[] => {
    const items = value[list] ?? []
    if (!Array.isArray(items)) throw new KubeconfigError(`error loading config file ${JSON.stringify(path)}: ${list} is not a list`)
    return items.map((item: Record<string, unknown>) => ({ name: String(item['name'] ?? ''), value: (item[member] ?? {}) as T }))
  }
  const base = dirname(path)
  const users = entries<KubeconfigUser>('users', 'user').map(({ name, value: user }) => ({ name, value: absolute(user, base, ['client-certificate', 'client-key', 'tokenFile']) }))
  for (const { value: user } of users) {
    const command = user.exec?.command
    // As kubectl: a command with a slash is relative to the file, a bare one is looked up in PATH.
    if (user.exec !== undefined && command !== undefined && command.includes('/')) user.exec = { ...user.exec, command: resolve(base, command) }
  }
  return {
    current: typeof value['current-context'] === 'string' ? value['current-context'] : '',
    contexts: entries('contexts', 'context'),
    clusters: entries<KubeconfigCluster>('clusters', 'cluster').map(({ name, value: cluster }) => ({ name, value: absolute(cluster, base, ['certificate-authority']) })),
    users,
  }
}

function absolute<T extends object>(entry: T, base: string, files: (keyof T)[]): T {
  const copy = { ...entry }
  for (const file of files) {
    const path = copy[file]
    if (typeof path === 'string' && path !== '') copy[file] = resolve(base, path) as T[keyof T]
  }
  return copy
}
