/** Another node: where its pods are and how it is reached. */
export interface Peer {
  name: string
  podCidr: string
  /** Its InternalIP. */
  address: string
}

/** An address of this node's own, with the prefix of its network. */
export interface LocalAddress {
  device: string
  cidr: string
}

/** A route that should exist. `device` may be `unreachable`. */
export interface Route {
  cidr: string
  device: string
  via?: string
}

export interface BackendPlan {
  routes: Route[]
  /** Peers that cannot be reached this way, in words. */
  problems: string[]
}

/**
 * How pods of other nodes are reached. A backend is a pure function from what is known to the routes that should exist; it is asked again at every change, so it
 * keeps no state. What it cannot serve it reports as a problem and leaves out: the others still work.
 */
export interface Backend {
  readonly type: string
  plan(peers: readonly Peer[], local: readonly LocalAddress[]): BackendPlan
}
