import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import type { Logger } from '@berth/kube'
import { cniCodes, CniFailure } from '../errors.ts'
import { PluginConnection } from './connection.ts'
import { type CniRequest, parseRequest } from './request.ts'
import { errorResult } from './result.ts'
import { isSupported } from './versions.ts'

/** Serves one checked call; gives what the plugin prints. Throws CniFailure. */
export type CniHandler = (request: CniRequest, connection: PluginConnection) => Promise<Record<string, unknown> | undefined>

/** Listens for plugins on a unix socket that only root can use. */
export async function serveCni(socketPath: string, handler: CniHandler, logger: Logger): Promise<Server> {
  await mkdir(dirname(socketPath), { recursive: true })
  await rm(socketPath, { force: true })
  const server = createServer((socket) => void converse(new PluginConnection(socket), handler, logger))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, resolve)
  })
  await chmod(socketPath, 0o600)
  return server
}

async function converse(connection: PluginConnection, handler: CniHandler, logger: Logger): Promise<void> {
  let version = '1.0.0'
  let about: Record<string, unknown> = {}
  try {
    const { env, conf } = await connection.readCall()
    about = { command: env.get('CNI_COMMAND'), containerId: env.get('CNI_CONTAINERID') }
    version = versionIn(conf) ?? version
    const result = await handler(parseRequest(env, conf), connection)
    connection.finish(0, result ? JSON.stringify(result) : '')
  } catch (error) {
    const failure = error instanceof CniFailure ? error : new CniFailure(cniCodes.kernel, error instanceof Error ? error.message : String(error), '', { cause: error })
    logger.error(failure, 'CNI call failed', { ...about, code: failure.code })
    connection.finish(1, JSON.stringify(errorResult(version, failure.code, failure.message, failure.details)))
  }
}

// An error is worded in the caller's version even when the rest of the configuration is wrong.
function versionIn(conf: string): string | undefined {
  try {
    const value: unknown = JSON.parse(conf)
    if (typeof value !== 'object' || value === null || !('cniVersion' in value)) return undefined
    return typeof value.cniVersion === 'string' && isSupported(value.cniVersion) ? value.cniVersion : undefined
  } catch {
    return undefined
  }
}
