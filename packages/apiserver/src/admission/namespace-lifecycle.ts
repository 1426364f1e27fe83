import { core } from '@berth/api'
import { forbidden, notFound, StatusError } from '../errors.ts'
import type { AdmissionAttributes, AdmissionPlugin, ResourceStore } from '../interfaces.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])

/** Nothing is created in a namespace that is not there or that ends; the system's namespaces are not deleted. */
export function namespaceLifecycle(store: ResourceStore): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: (operation) => operation !== 'CONNECT',
    admit(attributes) {
      const isNamespace = attributes.resource.group === '' && attributes.resource.resource === 'namespaces'
      if (attributes.operation === 'DELETE') {
        if (isNamespace && immortal.has(attributes.name)) throw forbidden(attributes.resource, attributes.name, 'this namespace may not be deleted')
        return
      }
      if (isNamespace || attributes.namespace === '' || isAccessReview(attributes)) return
      const namespace = store.get(core.namespaces, attributes.namespace)
      if (!namespace) throw notFound(core.namespaces, attributes.namespace)
      if (attributes.operation === 'CREATE' && namespace.status?.phase === 'Terminating') throw terminating(attributes)
    },
  }
}

function isAccessReview(attributes: AdmissionAttributes): boolean {
  return attributes.resource.group === 'authorization.k8s.io' && attributes.resource.resource === 'localsubjectaccessreviews'
}

function terminating(attributes: AdmissionAttributes): StatusError {
  const name = attributes.name || attributes.object?.metadata.name || ''
  const refusal = forbidden(attributes.resource, name, `unable to create new content in namespace ${attributes.namespace} because it is being terminated`)
  return new StatusError(403, 'Forbidden', refusal.message, {
    ...refusal.status.details,
    causes: [{ reason: 'NamespaceTerminating', message: `namespace ${attributes.namespace} is being terminated`, field: 'metadata.namespace' }],
  })
}
