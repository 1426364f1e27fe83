import { randomInt } from 'node:crypto'
import { core } from '@berth/api'
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from '@berth/api/types/core/v1'
import type { AdmissionAttributes, AdmissionPlugin, ResourceStore } from '../interfaces.ts'
import { mirrorPodAnnotation, podOf, refuse } from './pods.ts'

const volumePrefix = 'kube-api-access-'
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
/** One hour and seven seconds: marks tokens that nobody chose a life for, which the issuer may extend. */
const tokenSeconds = 3607
const nameLetters = 'bcdfghjklmnpqrstvwxz2456789'

/** Every pod runs as a service account: the default one where it names none; its token and the cluster's CA are mounted, its pull secrets taken. */
export function serviceAccount(store: ResourceStore): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    handles: (operation) => operation === 'CREATE',
    admit(attributes) {
      const pod = podOf(attributes)
      if (!pod) return
      if (pod.metadata.annotations?.[mirrorPodAnnotation] !== undefined) {
        checkMirrorPod(attributes, pod)
        return
      }
      const spec = pod.spec ?? { containers: [] }
      pod.spec = spec
      const name = spec.serviceAccountName || spec.serviceAccount || 'default'
      spec.serviceAccountName = name
      spec.serviceAccount = name
      const account = store.get(core.serviceaccounts, name, attributes.namespace)
      if (!account) throw refuse(attributes, `error looking up service account ${attributes.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`)
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec)
      if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) spec.imagePullSecrets = account.imagePullSecrets.map((s) => ({ ...s }))
    },
    validate(attributes) {
      const pod = podOf(attributes)
      if (!pod || pod.metadata.annotations?.[mirrorPodAnnotation] !== undefined) return
      const account = store.get(core.serviceaccounts, pod.spec?.serviceAccountName ?? '', attributes.namespace)
      if (account?.metadata.annotations?.['kubernetes.io/enforce-mountable-secrets'] === 'true') limitSecrets(attributes, pod, account)
    },
  }
}

function checkMirrorPod(attributes: AdmissionAttributes, pod: Pod): void {
  if (pod.spec?.serviceAccountName || pod.spec?.serviceAccount) throw refuse(attributes, 'a mirror pod may not reference service accounts')
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.secret || volume.projected?.sources?.some((s) => s.secret)) throw refuse(attributes, 'a mirror pod may not reference secrets')
    if (volume.projected?.sources?.some((s) => s.serviceAccountToken)) throw refuse(attributes, 'a mirror pod may not use ServiceAccountToken volume projections')
  }
}

function mountToken(spec: PodSpec): void {
  const known = spec.volumes?.find((v) => v.name?.startsWith(volumePrefix))
  const name = known?.name ?? volumePrefix + Array.from({ length: 5 }, () => nameLetters[randomInt(nameLetters.length)]).join('')
  let used = false
  const containers: Container[] = [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
  for (const container of containers) {
    if (container.volumeMounts?.some((m) => m.mountPath === mountPath)) continue
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }]
    used = true
  }
  if (used && !known) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  }
}

/** A service account that enforces mountable secrets lets its pods use only the secrets it lists. */
function limitSecrets(attributes: AdmissionAttributes, pod: Pod, account: ServiceAccount): void {
  const mountable = new Set((account.secrets ?? []).map((s) => s.name))
  const pullable = new Set((account.imagePullSecrets ?? []).map((s) => s.name))
  const name = account.metadata.name
  for (const volume of pod.spec?.volumes ?? []) {
    const secret = volume.secret?.secretName
    if (secret !== undefined && !mountable.has(secret)) throw refuse(attributes, `volume with secret.secretName=${JSON.stringify(secret)} is not allowed because service account ${name} does not reference that secret`)
  }
  const groups: [string, Container[]][] = [['init container', pod.spec?.initContainers ?? []], ['container', pod.spec?.containers ?? []]]
  for (const [what, containers] of groups) {
    for (const container of containers) {
      for (const variable of container.env ?? []) {
        const secret = variable.valueFrom?.secretKeyRef?.name
        if (secret !== undefined && !mountable.has(secret)) throw refuse(attributes, `${what} ${container.name} with envVar ${variable.name} referencing secret.secretName=${JSON.stringify(secret)} is not allowed because service account ${name} does not reference that secret`)
      }
    }
  }
  for (const [index, secret] of (pod.spec?.imagePullSecrets ?? []).entries()) {
    if (!pullable.has(secret.name)) throw refuse(attributes, `imagePullSecrets[${index}].name=${JSON.stringify(secret.name)} is not allowed because service account ${name} does not reference that imagePullSecret`)
  }
}
