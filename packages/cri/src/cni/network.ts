import { defaultCacheDirectory, findCached, readCache, removeCache, writeCache } from './cache.ts'
import { CniError, cniErrorCodes } from './cni-error.ts'
import { type CniConfigList, type CniPluginConfig, parseCniConfig, versionAtLeast } from './config.ts'
import { runPlugin } from './plugin-process.ts'
import type { CniResult } from './result.ts'

/** What is attached, and with which arguments. */
export interface CniAttachment {
  containerId: string
  /** Path of the network namespace; may be empty or gone for `del`. */
  netns: string
  ifName: string
  /** CNI_ARGS. */
  args?: readonly (readonly [string, string])[]
  /** Capability arguments: what goes into `runtimeConfig` of the plugins that declare the capability (portMappings, bandwidth, dns ...). */
  capabilityArgs?: Readonly<Record<string, unknown>>
}

export interface CniRunnerOptions {
  /** Where plugins are looked for, in this order. */
  binDirs: readonly string[]
  /** libcni's own place by default. */
  cacheDirectory?: string
}

/** Runs a network's plugins as libcni does: chained, with prevResult, capabilities and the result cache. */
export interface CniRunner {
  /** Attaches. Where a plugin fails the caller must `del`, as with libcni. */
  add(network: CniConfigList, attachment: CniAttachment, signal?: AbortSignal): Promise<CniResult>
  /** Detaches, plugins in reverse order; what is not attached is fine. Stops at the first plugin that fails: call again. */
  del(network: CniConfigList, attachment: CniAttachment, signal?: AbortSignal): Promise<void>
  /**
   * Detaches whatever the cache says that this container has, with the configuration and arguments of its ADD. Gives how many
   * attachments there were, so that a caller can tell "nothing known".
   */
  delCached(containerId: string, netns: string, signal?: AbortSignal): Promise<number>
  /** Checks an attachment (CNI 0.4.0 and later; does nothing where the list says disableCheck). */
  check(network: CniConfigList, attachment: CniAttachment, signal?: AbortSignal): Promise<void>
  /** Asks every plugin whether it is ready (CNI 1.1; does nothing for earlier lists). */
  status(network: CniConfigList, signal?: AbortSignal): Promise<void>
  /**
   * Tells every plugin which attachments of this network are valid, so that it gives back what others hold (CNI 1.1; does nothing for earlier lists and where the list says disableGC).
   * All plugins are told; the first failure is thrown after that.
   */
  gc(network: CniConfigList, valid: readonly { containerId: string; ifName: string }[], signal?: AbortSignal): Promise<void>
  /** Every attachment that the cache knows. */
  cached(): Promise<{ networkName: string; containerId: string; ifName: string; netns: string }[]>
  /** The result of the ADD, from the cache. */
  cachedResult(network: CniConfigList, attachment: { containerId: string; ifName: string }): Promise<CniResult | undefined>
  /** The result of a container's ADD on this interface, whatever network that was. */
  cachedResultOf(containerId: string, ifName: string): Promise<CniResult | undefined>
}

const idForm = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
const interfaceForm = /^[^\s/:]{1,15}$/

export function createCniRunner({ binDirs, cacheDirectory = defaultCacheDirectory }: CniRunnerOptions): CniRunner {
  const call = (
    command: 'ADD' | 'DEL' | 'CHECK',
    network: CniConfigList,
    plugin: CniPluginConfig,
    attachment: CniAttachment,
    prevResult: CniResult | undefined,
    signal: AbortSignal | undefined,
  ): Promise<unknown> =>
    runPlugin({ type: plugin.type, command, binDirs, environment: environmentOf(attachment), config: pluginInput(network, plugin, attachment.capabilityArgs, prevResult), signal })

  const runner: CniRunner = {
    async add(network, attachment, signal) {
      validate(attachment)
      let result: CniResult | undefined
      for (const plugin of network.plugins) result = resultOf(plugin, network, await call('ADD', network, plugin, attachment, result, signal))
      if (!result) throw new CniError(cniErrorCodes.invalidConfig, `network ${network.name} has no plugins`)
      await writeCache(cacheDirectory, {
        containerId: attachment.containerId,
        networkName: network.name,
        ifName: attachment.ifName,
        netns: attachment.netns,
        config: network.source,
        cniArgs: (attachment.args ?? []).map(([key, value]) => [key, value]),
        capabilityArgs: { ...attachment.capabilityArgs },
        result,
      })
      return result
    },

    async del(network, attachment, signal) {
      validate(attachment)
      const key = { networkName: network.name, containerId: attachment.containerId, ifName: attachment.ifName }
      const cached = versionAtLeast(network.cniVersion, '0.4.0') ? await readCache(cacheDirectory, key) : undefined
      for (const plugin of network.plugins.toReversed()) await call('DEL', network, plugin, attachment, cached?.result, signal)
      await removeCache(cacheDirectory, key)
    },

    async delCached(containerId, netns, signal) {
      const attachments = await findCached(cacheDirectory, containerId)
      for (const cached of attachments) {
        const { ifName, cniArgs, capabilityArgs } = cached
        await runner.del(parseCniConfig(cached.config), { containerId, netns, ifName, args: cniArgs, capabilityArgs }, signal)
      }
      return attachments.length
    },

    async check(network, attachment, signal) {
      validate(attachment)
      if (network.disableCheck) return
      if (!versionAtLeast(network.cniVersion, '0.4.0')) {
        throw new CniError(cniErrorCodes.incompatibleVersion, `configuration version ${network.cniVersion} does not support CHECK command`)
      }
      const cached = await readCache(cacheDirectory, { networkName: network.name, containerId: attachment.containerId, ifName: attachment.ifName })
      if (!cached) throw new CniError(cniErrorCodes.unknownContainer, `container ${attachment.containerId} is not attached to network ${network.name}`)
      for (const plugin of network.plugins) await call('CHECK', network, plugin, attachment, cached.result, signal)
    },

    async status(network, signal) {
      if (!versionAtLeast(network.cniVersion, '1.1.0')) return
      for (const plugin of network.plugins) {
        await runPlugin({ type: plugin.type, command: 'STATUS', binDirs, environment: {}, config: pluginInput(network, plugin, undefined, undefined), signal })
      }
    },

    async gc(network, valid, signal) {
      if (network.disableGc || !versionAtLeast(network.cniVersion, '1.1.0')) return
      const attachments = valid.map(({ containerId, ifName }) => ({ containerID: containerId, ifname: ifName }))
      let failure: unknown
      for (const plugin of network.plugins) {
        const config = { ...pluginInput(network, plugin, undefined, undefined), 'cni.dev/valid-attachments': attachments }
        await runPlugin({ type: plugin.type, command: 'GC', binDirs, environment: {}, config, signal }).catch((error: unknown) => (failure ??= error))
      }
      if (failure !== undefined) throw failure
    },

    async cached() {
      return (await findCached(cacheDirectory)).map(({ networkName, containerId, ifName, netns }) => ({ networkName, containerId, ifName, netns }))
    },

    async cachedResult(network, { containerId, ifName }) {
      return (await readCache(cacheDirectory, { networkName: network.name, containerId, ifName }))?.result
    },

    async cachedResultOf(containerId, ifName) {
      return (await findCached(cacheDirectory, containerId)).find((cached) => cached.ifName === ifName)?.result
    },
  }
  return runner
}

function environmentOf({ containerId, netns, ifName, args }: CniAttachment): Record<string, string> {
  return { CNI_CONTAINERID: containerId, CNI_NETNS: netns, CNI_IFNAME: ifName, CNI_ARGS: (args ?? []).map(([key, value]) => `${key}=${value}`).join(';') }
}

/** The plugin's configuration with what the runtime puts in: name, version, the capabilities it asked for, and the result so far. */
export function pluginInput(
  network: CniConfigList,
  plugin: CniPluginConfig,
  capabilityArgs: Readonly<Record<string, unknown>> | undefined,
  prevResult: CniResult | undefined,
): Record<string, unknown> {
  const input: Record<string, unknown> = { ...plugin, name: network.name, cniVersion: network.cniVersion }
  const wanted = Object.entries(plugin.capabilities ?? {}).filter(([name, enabled]) => enabled && capabilityArgs?.[name] !== undefined)
  if (wanted.length > 0) input['runtimeConfig'] = Object.fromEntries(wanted.map(([name]) => [name, capabilityArgs?.[name]]))
  if (prevResult) input['prevResult'] = prevResult
  return input
}

function resultOf(plugin: CniPluginConfig, network: CniConfigList, answer: unknown): CniResult {
  if (typeof answer !== 'object' || answer === null) {
    throw new CniError(cniErrorCodes.decodingFailure, `plugin type=${JSON.stringify(plugin.type)} failed (add): it answered no result`)
  }
  return { cniVersion: network.cniVersion, ...answer }
}

function validate({ containerId, ifName, args }: CniAttachment): void {
  if (!idForm.test(containerId)) throw new CniError(cniErrorCodes.invalidEnvironment, `containerId: ${JSON.stringify(containerId)} has characters that CNI does not allow`)
  if (!interfaceForm.test(ifName) || ifName === '.' || ifName === '..') throw new CniError(cniErrorCodes.invalidEnvironment, `ifName: ${JSON.stringify(ifName)} is no interface name`)
  for (const [key, value] of args ?? []) {
    if (/[;=]/.test(key) || value.includes(';')) throw new CniError(cniErrorCodes.invalidEnvironment, `args: ${key} has characters that CNI_ARGS does not allow`)
  }
}
