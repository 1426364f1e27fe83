import type { ISCSIPersistentVolumeSource, PersistentVolumeSpec, SecretReference, Volume } from '../../types/core/v1.ts'
import { checkFormat, checkOneOf, checkRange, checkRequired, checkRequiredFormat, child, textOf } from '../common.ts'
import { checkDriverName } from '../csi-names.ts'
import { forbidden, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, dns1123Subdomain } from '../formats.ts'
import { legacyVolumeChecks } from '../pod/legacy-volumes.ts'
import { checkNoBacksteps } from '../pod/paths.ts'
import { hostPathTypes } from '../pod/volumes.ts'

type Check = (spec: PersistentVolumeSpec, at: string, volumeName: string) => FieldError[]
type SourceName = keyof PersistentVolumeSpec

/** Types whose rules in a PersistentVolume are those in a pod. */
const asInPods = (name: keyof typeof legacyVolumeChecks): Check => (spec, at) => legacyVolumeChecks[name](spec as unknown as Volume, at)

const checkSecretRef = (ref: SecretReference | undefined, at: string): FieldError[] => (ref ? [...checkRequired(`${at}.name`, ref.name), ...checkRequired(`${at}.namespace`, ref.namespace)] : [])

/** The volume types in the order they are judged: of two, the later one is refused. The third column is the name by which it is. */
const sources: readonly (readonly [SourceName, Check, string?])[] = [
  ['hostPath', ({ hostPath }, at) => (textOf(hostPath?.path) === '' ? [required(child(at, 'path'))] : [
    ...checkNoBacksteps(child(at, 'path'), textOf(hostPath?.path)), ...(hostPath?.type === undefined ? [] : checkOneOf(child(at, 'type'), hostPath.type, hostPathTypes)),
  ])],
  ['gcePersistentDisk', asInPods('gcePersistentDisk')],
  ['awsElasticBlockStore', asInPods('awsElasticBlockStore')],
  ['glusterfs', (spec, at) => [...asInPods('glusterfs')(spec, at, ''), ...checkEndpointsNamespace(spec.glusterfs?.endpointsNamespace, child(at, 'endpointsNamespace'))]],
  ['flocker', asInPods('flocker')],
  ['nfs', asInPods('nfs')],
  ['rbd', asInPods('rbd')],
  ['quobyte', asInPods('quobyte')],
  ['cephfs', asInPods('cephfs'), 'cephFS'],
  ['iscsi', ({ iscsi }, at, volumeName) => (iscsi ? checkIscsi(iscsi, at, volumeName) : [])],
  ['cinder', ({ cinder }, at) => [...checkRequired(child(at, 'volumeID'), cinder?.volumeID), ...checkSecretRef(cinder?.secretRef, child(at, 'secretRef'))]],
  ['fc', asInPods('fc')],
  ['flexVolume', asInPods('flexVolume')],
  ['azureFile', (spec, at) => [...asInPods('azureFile')(spec, at, ''), ...(spec.azureFile?.secretNamespace === '' ? [required(child(at, 'secretNamespace'))] : [])]],
  ['vsphereVolume', asInPods('vsphereVolume')],
  ['photonPersistentDisk', asInPods('photonPersistentDisk')],
  ['portworxVolume', asInPods('portworxVolume')],
  ['azureDisk', asInPods('azureDisk')],
  ['scaleIO', asInPods('scaleIO')],
  ['local', checkLocal],
  ['storageos', ({ storageos }, at) => [
    ...checkRequiredFormat(child(at, 'volumeName'), storageos?.volumeName, dns1123Label),
    ...(textOf(storageos?.volumeNamespace) === '' ? [] : checkFormat(child(at, 'volumeNamespace'), textOf(storageos?.volumeNamespace), dns1123Label)),
    ...checkSecretRef(storageos?.secretRef, child(at, 'secretRef')),
  ]],
  ['csi', checkCsi],
]

/** The names of the fields that are volume types. */
export const volumeSourceNames: readonly SourceName[] = sources.map(([name]) => name)

/** What a volume is made of: exactly one type, well-formed. */
export function checkVolumeSource(spec: PersistentVolumeSpec, at: string, volumeName: string): FieldError[] {
  const errors: FieldError[] = []
  let found = 0
  for (const [name, check, refusedAs = name] of sources) {
    if (spec[name] === undefined) continue
    // Upstream never refuses a flexVolume beside another type.
    if (found > 0 && name !== 'flexVolume') errors.push(forbidden(child(at, refusedAs), 'may not specify more than 1 volume type'))
    else errors.push(...check(spec, child(at, name), volumeName))
    found++
  }
  return found === 0 ? [...errors, required(at, 'must specify a volume type')] : errors
}

function checkLocal({ local, nodeAffinity }: PersistentVolumeSpec, at: string): FieldError[] {
  const path = textOf(local?.path)
  return [
    ...(path === '' ? [required(child(at, 'path'))] : checkNoBacksteps(child(at, 'path'), path)),
    ...(nodeAffinity ? [] : [required(at.replace(/local$/, 'nodeAffinity'), 'Local volume requires node affinity')]),
  ]
}

function checkCsi({ csi }: PersistentVolumeSpec, at: string): FieldError[] {
  const errors = [...checkDriverName(child(at, 'driver'), csi?.driver), ...checkRequired(child(at, 'volumeHandle'), csi?.volumeHandle)]
  for (const name of ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const) {
    const ref = csi?.[name]
    if (!ref) continue
    errors.push(...checkRequiredFormat(`${at}.${name}.name`, ref.name, dns1123Subdomain), ...checkRequiredFormat(`${at}.${name}.namespace`, ref.namespace, dns1123Label))
  }
  return errors
}

function checkEndpointsNamespace(namespace: string | undefined, field: string): FieldError[] {
  if (namespace === undefined) return []
  return namespace === '' ? [invalid(field, namespace, 'if the endpointnamespace is set, it must be a valid namespace name')] : checkFormat(field, namespace, dns1123Label)
}

const initiatorForms = [/^iqn.*iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$|^iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$/, /^eui.[a-zA-Z0-9]{16}$/, /^naa.[a-zA-Z0-9]{32}$/]
const isInitiator = (name: string): boolean => initiatorForms.some((form) => form.test(name))

function checkIscsi(iscsi: ISCSIPersistentVolumeSource, at: string, volumeName: string): FieldError[] {
  const { targetPortal = '', iqn = '', initiatorName } = iscsi
  const errors = checkRequired(child(at, 'targetPortal'), targetPortal)
  if (initiatorName !== undefined && `${volumeName}:${targetPortal}`.length > 64) {
    errors.push(invalid(child(at, 'targetportal'), targetPortal, 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'))
  }
  if (iqn === '') errors.push(required(child(at, 'iqn')))
  else if (!isInitiator(iqn)) errors.push(invalid(child(at, 'iqn'), iqn, 'must be valid format'))
  errors.push(...checkRange(child(at, 'lun'), iscsi.lun ?? 0, 0, 255))
  if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && !iscsi.secretRef) errors.push(required(child(at, 'secretRef')))
  if (iscsi.secretRef) errors.push(...checkRequired(`${at}.secretRef.name`, iscsi.secretRef.name))
  if (initiatorName !== undefined && !isInitiator(initiatorName)) errors.push(invalid(child(at, 'initiatorname'), initiatorName, 'must be valid format'))
  return errors
}
