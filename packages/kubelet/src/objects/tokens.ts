import { core } from '@berth/api'
import type { Pod, ServiceAccountTokenProjection } from '@berth/api/types/core/v1'
import type { TokenRequest } from '@berth/api/types/authentication/v1'
import type { KubeClient } from '@berth/kube'
import { fromTime } from '../pods/time.ts'

interface Token { token: string; issuedAt: number; expiresAt: number }

const defaultSeconds = 3600
const dayMs = 24 * 3600 * 1000

/** Is it time for a new one? After 80 % of its life, or a day, and some seconds that spread a node's pods. */
export function needsRefresh(token: { issuedAt: number; expiresAt: number }, now: number, jitterMs: number): boolean {
  const life = token.expiresAt - token.issuedAt
  return now > token.expiresAt - life * 0.2 - jitterMs || now > token.issuedAt + dayMs - jitterMs
}

/** Tokens of pods' service accounts, bound to the pod; kept until they are due for renewal. */
export interface TokenSource {
  get(pod: Pod, projection: ServiceAccountTokenProjection): Promise<string>
  forget(podUid: string): void
}

export function createTokenSource(client: KubeClient, now: () => number): TokenSource {
  const tokens = new Map<string, Token>()
  return {
    get: async (pod, projection) => {
      const uid = pod.metadata.uid ?? ''
      const key = [uid, pod.spec.serviceAccountName ?? 'default', projection.audience ?? '', projection.expirationSeconds ?? defaultSeconds].join('|')
      const kept = tokens.get(key)
      if (kept && !needsRefresh(kept, now(), (uid.charCodeAt(0) % 10) * 1000)) return kept.token
      try {
        const fresh = await request(client, pod, projection, now)
        tokens.set(key, fresh)
        return fresh.token
      } catch (error) {
        // An old token is better than none as long as it is valid.
        if (kept && now() < kept.expiresAt) return kept.token
        throw new Error(`failed to fetch token: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }
    },
    forget: (podUid) => {
      for (const key of tokens.keys()) if (key.startsWith(`${podUid}|`)) tokens.delete(key)
    },
  }
}

async function request(client: KubeClient, pod: Pod, projection: ServiceAccountTokenProjection, now: () => number): Promise<Token> {
  const name = pod.spec.serviceAccountName || 'default'
  const body: TokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { name, namespace: pod.metadata.namespace ?? '' },
    spec: {
      audiences: projection.audience ? [projection.audience] : [],
      expirationSeconds: projection.expirationSeconds ?? defaultSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid ?? '' },
    },
  }
  const issuedAt = now()
  const answer = await client.createSubresource(core.serviceaccounts, name, 'token', body, { namespace: pod.metadata.namespace ?? '' })
  const token = answer.status?.token
  if (!token) throw new Error('the API server answered without a token')
  return { token, issuedAt, expiresAt: fromTime(answer.status?.expirationTimestamp) || issuedAt + (projection.expirationSeconds ?? defaultSeconds) * 1000 }
}
