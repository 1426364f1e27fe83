// Signatures of what is still being written; each moves to its own file.
import type { Transport } from './transport/transport.ts'
import type { ComponentServer, ComponentServerOptions } from './component-server/component-server.ts'
import type { Shape } from './config-file/shape.ts'

export declare function transportFromKubeconfig(path: string | undefined, options?: { context?: string }): Transport
export declare function startComponentServer(options: ComponentServerOptions): Promise<ComponentServer>
export declare function readConfigFile<T>(path: string, gvk: { group: string; version: string; kind: string }, shape: Shape): Promise<T>
