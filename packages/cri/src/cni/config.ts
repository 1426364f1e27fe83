import { CniError, cniErrorCodes } from './cni-error.ts'

/** The configuration of one plugin inside a network's list. What a plugin does not know it passes over; we keep everything. */
export interface CniPluginConfig {
  type: string
  /** Which capability arguments the plugin wants in `runtimeConfig`. */
  capabilities?: Record<string, boolean>
  [key: string]: unknown
}

/** A network configuration list, as the CNI specification defines it. */
export interface CniConfigList {
  /** The version that plugins are spoken to in: the highest that both we and the file have. */
  cniVersion: string
  name: string
  disableCheck: boolean
  /** The runtime is not the only one that attaches to this network: no garbage collection (CNI 1.1). */
  disableGc: boolean
  plugins: CniPluginConfig[]
  /** The file's text, for libcni's cache. */
  source: string
}

/** Versions of the specification whose results have the form of 0.3.0 and later, oldest first. */
export const supportedVersions: readonly string[] = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0']

/** Whether version `left` is at least `right`; both are of the form 1.2.3. */
export function versionAtLeast(left: string, right: string): boolean {
  const a = left.split('.').map(Number)
  const b = right.split('.').map(Number)
  for (let index = 0; index < 3; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

const nameForm = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/**
 * Reads the text of a `.conflist`, or of a `.conf` with one plugin (which becomes a list of one). Throws CniError (invalidConfig), naming the field.
 */
export function parseCniConfig(text: string): CniConfigList {
  const document = parseObject(text)
  const name = document['name']
  if (typeof name !== 'string' || name === '') throw invalid('name', 'is required')
  if (!nameForm.test(name)) throw invalid('name', `${JSON.stringify(name)} must consist of letters, digits, "_", "." and "-" and start with a letter or digit`)
  const single = document['plugins'] === undefined && typeof document['type'] === 'string'
  const plugins = single ? [document] : document['plugins']
  if (!Array.isArray(plugins)) throw invalid('plugins', 'must be a list')
  if (plugins.length === 0) throw invalid('plugins', 'must have at least one plugin')
  return {
    cniVersion: chooseVersion(document),
    name,
    disableCheck: flag(document, 'disableCheck'),
    disableGc: flag(document, 'disableGC'),
    plugins: plugins.map((plugin: unknown, index) => parsePlugin(plugin, single ? '' : `plugins[${index}].`)),
    source: text,
  }
}

function parseObject(text: string): Record<string, unknown> {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw new CniError(cniErrorCodes.decodingFailure, `CNI configuration is not JSON: ${(error as Error).message}`, '', { cause: error })
  }
  if (!isObject(document)) throw new CniError(cniErrorCodes.decodingFailure, 'CNI configuration is not a JSON object')
  return document
}

function parsePlugin(plugin: unknown, prefix: string): CniPluginConfig {
  if (!isObject(plugin)) throw invalid(prefix.slice(0, -1), 'must be an object')
  const { type, capabilities } = plugin
  if (typeof type !== 'string' || type === '') throw invalid(`${prefix}type`, 'is required')
  if (type.includes('/') || type === '..' || type === '.') throw invalid(`${prefix}type`, `${JSON.stringify(type)} must be a program's name without a path`)
  if (capabilities !== undefined && (!isObject(capabilities) || Object.values(capabilities).some((value) => typeof value !== 'boolean'))) {
    throw invalid(`${prefix}capabilities`, 'must be an object of booleans')
  }
  return plugin as CniPluginConfig
}

/** `cniVersions` (1.1) offers several, `cniVersion` one; a file without either is of the specification's first days, which is not served. */
function chooseVersion(document: Record<string, unknown>): string {
  const { cniVersion, cniVersions } = document
  const offered: unknown[] = []
  if (cniVersion !== undefined) offered.push(cniVersion)
  if (cniVersions !== undefined) {
    if (!Array.isArray(cniVersions)) throw invalid('cniVersions', 'must be a list')
    offered.push(...(cniVersions as unknown[]))
  }
  if (offered.length === 0) throw invalid('cniVersion', 'is required')
  const best = supportedVersions.findLast((version) => offered.includes(version))
  if (best === undefined) {
    throw new CniError(cniErrorCodes.incompatibleVersion, `cniVersion: ${JSON.stringify(offered.length === 1 ? offered[0] : offered)} is not supported (supported: ${supportedVersions.join(', ')})`)
  }
  return best
}

/** libcni takes these flags as booleans and as the words. */
function flag(document: Record<string, unknown>, key: string): boolean {
  const value = document[key]
  if (value === undefined || value === false || value === 'false') return false
  if (value === true || value === 'true') return true
  throw invalid(key, 'must be true or false')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(field: string, reason: string): CniError {
  return new CniError(cniErrorCodes.invalidConfig, `${field}: ${reason}`)
}
