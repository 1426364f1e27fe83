import { aggregateMessage } from '@berth/api'
import { checkShape, parseDuration, readConfigFile, systemClock, type Shape } from '@berth/kube'
import { Cache, completeArgs, featureGates, makeProfile, pluginArgsShapes, pluginRegistry, type PluginArgs, type Profile, type Snapshot } from '@berth/scheduler/parts'
import { ConfigError } from './errors.ts'

/** ExtenderConfiguration (berth.dev/v1alpha1) as it is run. */
export interface ExtenderConfig {
  readonly kubeconfig?: string
  readonly serving: { readonly address: string; readonly port: number; readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCAFile?: string } }
  readonly authentication: { readonly tokenFile?: string; readonly tokenReview: boolean; readonly anonymous: boolean }
  /** Who may ask; everybody who is authenticated, where both are empty. */
  readonly authorization: { readonly users: readonly string[]; readonly groups: readonly string[] }
  readonly limits: { readonly maxInFlight: number; readonly maxQueued: number; readonly maxBodyBytes: number; readonly timeoutMs: number }
  readonly plugins: ReadonlyArray<{ readonly name: string; readonly weight: number }>
  readonly args: PluginArgs
}

interface ConfigFile {
  clientConnection?: { kubeconfig?: string }
  serving?: { address?: string; port?: number; tls?: { certFile: string; keyFile: string; clientCAFile?: string } }
  authentication?: { tokenFile?: string; tokenReview?: boolean; anonymous?: boolean }
  authorization?: { users?: string[]; groups?: string[] }
  limits?: { maxInFlight?: number; maxQueued?: number; maxBodyBytes?: number; timeout?: string }
  plugins?: Array<{ name: string; weight?: number }>
  pluginConfig?: Array<{ name: string; args?: Record<string, unknown> }>
}

const string: Shape = { type: 'string' }
const boolean: Shape = { type: 'boolean' }
const atLeast = (minimum: number): Shape => ({ type: 'integer', minimum })
const list = (items: Shape): Shape => ({ type: 'list', items })
const object = (fields: Record<string, Shape>, required: readonly string[] = []): Shape => ({ type: 'object', fields, required })

const shape = object({
  clientConnection: object({ kubeconfig: string }),
  serving: object({ address: string, port: { type: 'integer', minimum: 0, maximum: 65_535 }, tls: object({ certFile: string, keyFile: string, clientCAFile: string }, ['certFile', 'keyFile']) }),
  authentication: object({ tokenFile: string, tokenReview: boolean, anonymous: boolean }),
  authorization: object({ users: list(string), groups: list(string) }),
  limits: object({ maxInFlight: atLeast(1), maxQueued: atLeast(0), maxBodyBytes: atLeast(1024), timeout: { type: 'duration' } }),
  plugins: list(object({ name: string, weight: { type: 'integer', minimum: 1, maximum: 100 } }, ['name'])),
  pluginConfig: list(object({ name: string, args: { type: 'raw' } }, ['name'])),
}, ['plugins'])

/** Plugins are asked about nodes and nothing else: what needs a scheduler around it (queue, reserve, bind) has no place here. */
function whyNotHere(name: string, args: PluginArgs): string | undefined {
  const entry = pluginRegistry[name]
  if (!entry) return 'there is no such plugin'
  const plugin = entry.make({ args, clock: systemClock, gates: featureGates(), snapshot: () => new Cache() })
  if (plugin.reserve ?? plugin.permit ?? plugin.preBind ?? plugin.bind) return 'it takes part in reserving or binding, which a scheduler alone can do'
  if (!plugin.filter && !plugin.score) return 'it neither filters nor scores nodes'
  return undefined
}

/** Turns a file's content, already of the right shape, into what is run. Throws ConfigError with the path of what is wrong. */
export function extenderConfigOf(file: ConfigFile): ExtenderConfig {
  const args: Record<string, unknown> = {}
  for (const [i, { name, args: given }] of (file.pluginConfig ?? []).entries()) {
    const at = `pluginConfig[${i}]`
    const argsShape = pluginArgsShapes[name]
    if (!argsShape) throw new ConfigError(`${at}.name: Invalid value: ${JSON.stringify(name)}: this plugin takes no args; ${Object.keys(pluginArgsShapes).join(', ')} do`)
    if (!file.plugins?.some((plugin) => plugin.name === name)) throw new ConfigError(`${at}.name: Invalid value: ${JSON.stringify(name)}: the plugin is not among plugins`)
    if (args[name] !== undefined) throw new ConfigError(`${at}.name: Duplicate value: ${JSON.stringify(name)}`)
    const problems = checkShape(argsShape, given ?? {}, `${at}.args`)
    if (problems.length > 0) throw new ConfigError(problems.join(', '))
    const { args: complete, errors } = completeArgs(name, given ?? {}, `${at}.args`, featureGates())
    if (errors.length > 0) throw new ConfigError(aggregateMessage(errors))
    args[name] = complete
  }
  const plugins = (file.plugins ?? []).map(({ name, weight = 1 }) => ({ name, weight }))
  if (plugins.length === 0) throw new ConfigError('plugins: Required value: name at least one')
  for (const [i, { name }] of plugins.entries()) {
    const why = whyNotHere(name, args as PluginArgs)
    if (why !== undefined) {
      const able = Object.keys(pluginRegistry).filter((each) => whyNotHere(each, {}) === undefined)
      throw new ConfigError(`plugins[${i}].name: Unsupported value: ${JSON.stringify(name)}: ${why}; supported values: ${able.map((each) => JSON.stringify(each)).join(', ')}`)
    }
    if (plugins.findIndex((plugin) => plugin.name === name) !== i) throw new ConfigError(`plugins[${i}].name: Duplicate value: ${JSON.stringify(name)}`)
  }
  const timeoutMs = parseDuration(file.limits?.timeout ?? '4s')
  if (timeoutMs <= 0) throw new ConfigError(`limits.timeout: Invalid value: ${JSON.stringify(file.limits?.timeout)}: must be greater than 0`)
  const { address = '0.0.0.0', port = 10_270, tls } = file.serving ?? {}
  const config: ExtenderConfig = {
    ...(file.clientConnection?.kubeconfig ? { kubeconfig: file.clientConnection.kubeconfig } : {}),
    serving: { address, port, ...(tls ? { tls } : {}) },
    authentication: { ...(file.authentication?.tokenFile ? { tokenFile: file.authentication.tokenFile } : {}), tokenReview: file.authentication?.tokenReview ?? false, anonymous: file.authentication?.anonymous ?? false },
    authorization: { users: file.authorization?.users ?? [], groups: file.authorization?.groups ?? [] },
    limits: { maxInFlight: file.limits?.maxInFlight ?? 8, maxQueued: file.limits?.maxQueued ?? 100, maxBodyBytes: file.limits?.maxBodyBytes ?? 128 * 1024 * 1024, timeoutMs },
    plugins, args: args as PluginArgs,
  }
  checkAccess(config)
  return config
}

/** Nothing but loopback is served to everybody, unless that is asked for. */
function checkAccess({ serving: { address, tls }, authentication: { tokenFile, tokenReview, anonymous }, authorization: { users, groups } }: ExtenderConfig): void {
  const proves = tls?.clientCAFile !== undefined || tokenFile !== undefined || tokenReview
  if (anonymous && (users.length > 0 || groups.length > 0)) throw new ConfigError('authorization: users and groups name nobody while authentication.anonymous lets everybody in')
  if (!tls && (tokenFile !== undefined || tokenReview) && !isLoopback(address)) throw new ConfigError('serving.tls: Required value: tokens are not taken over plain HTTP')
  if (!proves && !anonymous && !isLoopback(address)) {
    throw new ConfigError(`authentication: Required value: ${address} can be reached from elsewhere: name serving.tls.clientCAFile, authentication.tokenFile or authentication.tokenReview, or let everybody in with authentication.anonymous`)
  }
}

export function isLoopback(address: string): boolean {
  return /^(127\.|::1$|localhost$)/.test(address)
}

/** The plugins that were chosen, in the registry's order, which is the order of filters. What only a scheduler needs is there without a say. */
export function profileOf(config: Pick<ExtenderConfig, 'plugins' | 'args'>, snapshot: () => Snapshot): Profile {
  const weights = new Map(config.plugins.map(({ name, weight }) => [name, weight]))
  const enabled = Object.keys(pluginRegistry).filter((name) => weights.has(name)).map((name) => ({ name, weight: weights.get(name) ?? 1 }))
  return makeProfile({ schedulerName: 'extender', snapshot, args: config.args, plugins: { multiPoint: { disabled: [{ name: '*' }], enabled: [...enabled, { name: 'PrioritySort' }, { name: 'DefaultBinder' }] } } })
}

/** Reads an ExtenderConfiguration file strictly. Throws with the path of what is wrong. */
export async function readExtenderConfig(file: string): Promise<ExtenderConfig> {
  return extenderConfigOf(await readConfigFile<ConfigFile>(file, { group: 'berth.dev', version: 'v1alpha1', kind: 'ExtenderConfiguration' }, shape))
}
