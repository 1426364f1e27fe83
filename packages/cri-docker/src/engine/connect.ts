import type { Readable } from 'node:stream'
import Docker from 'dockerode'
import { versionAtLeast } from './versions.ts'

/** The newest API of the Engine that the shim is written for. */
const newestKnown = '1.51'
/** The oldest one that has everything it needs (Docker 20.10). */
const oldestKnown = '1.41'

/** An Engine and the API version that is spoken to it. */
export interface Engine {
  docker: Docker
  apiVersion: string
  /** Docker's own version, for messages. */
  version: string
  /** Whether the API spoken is at least this. */
  speaks(apiVersion: string): boolean
  /** The Engine's events that these filters let through, one JSON object a line, from now on. */
  events(filters: Readonly<Record<string, readonly string[]>>): Promise<Readable>
  /** Bytes of all images' layers, as the Engine sums them. */
  imageBytes(): Promise<number>
}

/** Calls whose types in the client library do not match what it does. */
interface LooselyTyped {
  getEvents(options: { filters: string }): Promise<Readable>
  df(options: { type: readonly string[] }): Promise<{ LayersSize?: number }>
}

/**
 * Connects to the Engine at a unix socket (`unix:///run/docker.sock`; the files of its containers are read, so it must be this machine's) and agrees on the API version.
 * Throws where it cannot be reached or is too old.
 */
export async function connectEngine(dockerHost: string): Promise<Engine> {
  const socketPath = dockerHost.replace(/^unix:\/\//, '')
  if (!socketPath.startsWith('/')) throw new Error(`docker host "${dockerHost}": only unix sockets of this machine are served (unix:///path)`)
  const { ApiVersion, MinAPIVersion = oldestKnown, Version } = (await new Docker({ socketPath }).version()) as { ApiVersion: string; MinAPIVersion?: string; Version: string }
  const apiVersion = versionAtLeast(ApiVersion, newestKnown) ? (versionAtLeast(MinAPIVersion, newestKnown) ? MinAPIVersion : newestKnown) : ApiVersion
  if (!versionAtLeast(apiVersion, oldestKnown)) throw new Error(`Docker ${Version} speaks API ${ApiVersion}; ${oldestKnown} (Docker 20.10) is the oldest that is served`)
  const docker = new Docker({ socketPath, version: `v${apiVersion}` })
  const loose = docker as unknown as LooselyTyped
  return {
    docker,
    apiVersion,
    version: Version,
    speaks: (wanted) => versionAtLeast(apiVersion, wanted),
    events: (filters) => loose.getEvents({ filters: JSON.stringify(filters) }),
    imageBytes: async () => (await loose.df({ type: ['image'] })).LayersSize ?? 0,
  }
}
