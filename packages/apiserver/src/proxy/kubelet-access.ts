import type { ServerDependencies } from '../interfaces.ts'
import type { BackendTls } from './backend.ts'
import { kubeletAddress } from './node-connection.ts'

/** How the server reaches kubelets. */
export interface KubeletAccess {
  /** The URL of a path on the kubelet of a node. Throws where the node is unknown or has no address. */
  url(nodeName: string, path: string, query: URLSearchParams): string
  /** The server's client certificate and the kubelets' authority; without --kubelet-certificate-authority their certificates are not checked, as upstream. */
  tls(insecure: boolean): BackendTls
}

/** Reaches kubelets by the addresses of their nodes. `material` is asked each time: certificates are renewed while the server runs. */
export function kubeletAccess(dependencies: ServerDependencies, material: () => { certificate: string, key: string, ca: string | undefined }): KubeletAccess {
  const { store, options } = dependencies
  return {
    url(nodeName, path, query) {
      const { host, port } = kubeletAddress(store, nodeName, options.kubeletPreferredAddressTypes)
      const text = query.toString()
      return `https://${host.includes(':') ? `[${host}]` : host}:${port}${path}${text === '' ? '' : `?${text}`}`
    },
    tls(insecure) {
      const { certificate, key, ca } = material()
      return { cert: certificate, key, ...(ca && !insecure ? { ca, rejectUnauthorized: true } : { rejectUnauthorized: false }) }
    },
  }
}
