import { networking } from '@berth/api'
import type { Ingress } from '@berth/api/types/networking/v1'
import type { AdmissionPlugin, ResourceStore } from '../interfaces.ts'

const mark = 'ingressclass.kubernetes.io/is-default-class'

/** Gives Ingresses that name no class the default one: the newest that is marked, by name among equals. */
export function defaultIngressClass(store: ResourceStore): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    handles: (operation) => operation === 'CREATE',
    admit({ resource, subresource, object }) {
      if (resource.group !== 'networking.k8s.io' || resource.resource !== 'ingresses' || subresource !== '' || !object) return
      const ingress = object as unknown as Ingress
      if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return
      const [found] = store.list(networking.ingressclasses).filter(({ metadata }) => metadata.annotations?.[mark] === 'true')
        .sort((a, b) => (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '') || a.metadata.name.localeCompare(b.metadata.name))
      if (found) ingress.spec = { ...ingress.spec, ingressClassName: found.metadata.name }
    },
  }
}
