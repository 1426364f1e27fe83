import type { Registry } from 'prom-client'
import type { Logger } from '../logging/logger.ts'
import type { RequestUser } from '../transport/transport.ts'

/** A named health check: resolves when well, throws with the reason when not. */
export type HealthCheck = () => Promise<void> | void

/** Who a request comes from; undefined where it bears no (valid) credentials. */
export type Authenticate = (request: AuthenticateRequest) => Promise<RequestUser | undefined>

export interface AuthenticateRequest {
  /** Of `Authorization: Bearer`. */
  bearerToken?: string
  /** The subject of a verified client certificate. */
  clientCertificate?: { commonName: string; organizations: string[] }
}

export interface AuthorizationAttributes {
  user: RequestUser
  verb: string
  /** A non-resource request's path. */
  path?: string
  resource?: { group: string; version: string; resource: string; subresource?: string; namespace?: string; name?: string }
}

export type Authorize = (attributes: AuthorizationAttributes) => Promise<{ allowed: boolean; reason: string }>

export interface ComponentServerOptions {
  name: string
  /** `127.0.0.1`, `0.0.0.0`, `::`. */
  address: string
  /** 0 for any free one. */
  port: number
  /** PEM. Without it, plain HTTP. `clientCa` verifies client certificates where they are sent. */
  tls?: { cert: string; key: string; clientCa?: string }
  authenticate?: Authenticate
  authorize?: Authorize
  /** Paths that need no authorization; `/healthz`, `/livez`, `/readyz` when absent. */
  alwaysAllowPaths?: readonly string[]
  metrics?: Registry
  /** Behind `/healthz`, `/livez` and `/readyz`, in this order; each can be asked alone (`/healthz/NAME`) and left out (`?exclude=NAME`). */
  checks?: Record<string, HealthCheck>
  /** Checks of `/readyz` alone. */
  readyChecks?: Record<string, HealthCheck>
  /** What `/configz` answers, by component. */
  config?: () => Record<string, unknown>
  /** Other paths that are served, each with its methods' own answer; authorized like all others. */
  endpoints?: Readonly<Record<string, Endpoint>>
  logger?: Logger
}

/** A request for an endpoint of a component's own; bodies beyond 3 MiB were refused before. */
export interface EndpointRequest {
  method: string
  query: URLSearchParams
  body: string
}

export interface EndpointAnswer {
  status: number
  contentType: string
  body: string
}

/** Answers requests on a path. What it throws becomes a 500 without details. */
export type Endpoint = (request: EndpointRequest) => Promise<EndpointAnswer>

export interface ComponentServer {
  readonly port: number
  close(): Promise<void>
}
