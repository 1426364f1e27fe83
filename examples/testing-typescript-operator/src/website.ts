import type { KubernetesObject, V1ConfigMap, V1Deployment, V1OwnerReference } from '@kubernetes/client-node'

/** A page, served by some replicas (config/websites.yaml). */
export interface Website extends KubernetesObject {
  spec: { html: string, replicas?: number }
  status?: { availableReplicas?: number, observedGeneration?: number }
}

export const group = { group: 'examples.berth.dev', version: 'v1', plural: 'websites' } as const

function ownedBy({ metadata }: Website): { name: string, namespace: string, ownerReferences: V1OwnerReference[] } {
  const { name = '', namespace = '', uid = '' } = metadata ?? {}
  return { name, namespace, ownerReferences: [{ apiVersion: 'examples.berth.dev/v1', kind: 'Website', name, uid, controller: true, blockOwnerDeletion: true }] }
}

/** The ConfigMap that holds a website's page. */
export function pageOf(site: Website): V1ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: ownedBy(site), data: { 'index.html': site.spec.html } }
}

/** The Deployment that serves it. */
export function serversOf(site: Website): V1Deployment {
  const labels = { website: site.metadata?.name ?? '' }
  return {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: ownedBy(site),
    spec: {
      replicas: site.spec.replicas ?? 1, selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'web', image: 'nginx', volumeMounts: [{ name: 'page', mountPath: '/usr/share/nginx/html' }] }],
          volumes: [{ name: 'page', configMap: { name: labels.website } }],
        },
      },
    },
  }
}
