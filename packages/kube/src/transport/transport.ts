/** A request to a Kubernetes API server, without what the transport adds (host, TLS, credentials). */
export interface TransportRequest {
  method: string
  /** The path with its query, such as `/api/v1/pods?limit=500`. */
  path: string
  /** Lower-case names. */
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Ends the request, or the stream of its answer. */
  signal?: AbortSignal
}

/** The answer as soon as its headers are there. `body` must be consumed to its end, or cancelled with the iterator's `return()`. */
export interface TransportResponse {
  status: number
  /** Lower-case names; repeated headers are joined with `, `. */
  headers: Record<string, string>
  body: AsyncIterable<Uint8Array>
}

/**
 * A way to an API server. `request` may be called many times at once. It rejects with {@link TransportError} where there is no
 * HTTP answer (no connection, broken off, aborted); any HTTP status resolves. After `close` requests are refused.
 */
export interface Transport {
  request(request: TransportRequest): Promise<TransportResponse>
  close(): Promise<void>
}

/** Who makes a request, where the transport itself knows it (in-process). */
export interface RequestUser {
  name: string
  groups: string[]
  uid?: string
  extra?: Record<string, string[]>
}

/** The API server's end of a transport that has no socket. */
export type RequestHandler = (request: TransportRequest & { user?: RequestUser }) => Promise<TransportResponse>

/** Where an API server is and how to prove who we are. Certificates and keys are PEM texts. */
export interface HttpsTransportOptions {
  /** `https://host:port`, with a base path where the server has one; `http://` is allowed. */
  server: string
  ca?: string
  cert?: string
  key?: string
  /** A bearer token, or a function asked before each request (it should cache). */
  token?: string | (() => Promise<string>)
  insecureSkipVerify?: boolean
  /** The name to verify in the server's certificate, where it is not the host of `server`. */
  tlsServerName?: string
  /** Called before each connection where the client certificate may be replaced while running (rotation, exec plugins). */
  clientCertificate?: () => Promise<{ cert: string; key: string } | undefined>
  /** Basic authentication and headers such as `Impersonate-User`, as a kubeconfig states them. */
  headers?: Record<string, string>
}
