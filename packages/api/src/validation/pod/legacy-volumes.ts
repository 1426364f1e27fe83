import type { Volume } from '../../types/core/v1.ts'
import { checkFormat, checkOneOf, checkRange, checkRequired, checkRequiredFormat, child, textOf } from '../common.ts'
import { invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, rangeError } from '../formats.ts'
import { checkDescendingPath } from './paths.ts'

// Volume types that a driver outside of Kubernetes, or nobody, serves today; the API still takes them.

type Check = (volume: Volume, at: string) => FieldError[]

const partition = (field: string, value: number | undefined): FieldError[] => (value !== undefined && (value < 0 || value > 255) ? [invalid(field, value, rangeError(1, 255))] : [])
const requiredAll = (at: string, fields: Record<string, string | undefined>): FieldError[] => Object.entries(fields).flatMap(([name, value]) => checkRequired(child(at, name), value))
const requiredList = (field: string, list: readonly unknown[] | undefined): FieldError[] => (list?.length ? [] : [required(field)])

export const legacyVolumeChecks = {
  gitRepo: ({ gitRepo }, at) => [...checkRequired(child(at, 'repository'), gitRepo?.repository), ...checkDescendingPath(child(at, 'directory'), textOf(gitRepo?.directory))],
  gcePersistentDisk: ({ gcePersistentDisk: disk }, at) => [...checkRequired(child(at.replace(/gcePersistentDisk$/, 'persistentDisk'), 'pdName'), disk?.pdName), ...partition(child(at.replace(/gcePersistentDisk$/, 'persistentDisk'), 'partition'), disk?.partition)],
  awsElasticBlockStore: ({ awsElasticBlockStore: disk }, at) => [...checkRequired(child(at, 'volumeID'), disk?.volumeID), ...partition(child(at, 'partition'), disk?.partition)],
  nfs: ({ nfs }, at) => [
    ...requiredAll(at, { server: nfs?.server, path: nfs?.path }),
    ...(textOf(nfs?.path).startsWith('/') ? [] : [invalid(child(at, 'path'), textOf(nfs?.path), 'must be an absolute path')]),
  ],
  iscsi: checkIscsi,
  glusterfs: ({ glusterfs }, at) => requiredAll(at, { endpoints: glusterfs?.endpoints, path: glusterfs?.path }),
  flocker: ({ flocker }, at) => {
    const name = textOf(flocker?.datasetName)
    const uuid = textOf(flocker?.datasetUUID)
    return [
      ...(name === '' && uuid === '' ? [required(at, 'one of datasetName and datasetUUID is required')] : []),
      ...(name !== '' && uuid !== '' ? [invalid(at, 'resource', 'datasetName and datasetUUID can not be specified simultaneously')] : []),
      ...(name.includes('/') ? [invalid(child(at, 'datasetName'), name, "must not contain '/'")] : []),
    ]
  },
  rbd: ({ rbd }, at) => [...requiredList(child(at, 'monitors'), rbd?.monitors), ...checkRequired(child(at, 'image'), rbd?.image)],
  cinder: ({ cinder }, at) => [...checkRequired(child(at, 'volumeID'), cinder?.volumeID), ...(cinder?.secretRef ? checkRequired(child(at, 'secretRef.name'), cinder.secretRef.name) : [])],
  cephfs: ({ cephfs }, at) => requiredList(child(at, 'monitors'), cephfs?.monitors),
  quobyte: ({ quobyte }, at) => [...checkQuobyteRegistry(textOf(quobyte?.registry), textOf(quobyte?.tenant), at), ...checkRequired(child(at, 'volume'), quobyte?.volume)],
  fc: checkFc,
  flexVolume: ({ flexVolume }, at) => [
    ...checkRequired(child(at, 'driver'), flexVolume?.driver),
    ...Object.keys(flexVolume?.options ?? {})
      .filter((key) => /\.(kubernetes|k8s)\.io$/.test(`.${(key.includes('/') ? key.split('/')[0] ?? '' : key).toLowerCase()}`))
      .map((key) => invalid(`${at}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved')),
  ],
  azureFile: ({ azureFile }, at) => requiredAll(at, { secretName: azureFile?.secretName, shareName: azureFile?.shareName }),
  vsphereVolume: ({ vsphereVolume }, at) => checkRequired(child(at, 'volumePath'), vsphereVolume?.volumePath),
  photonPersistentDisk: ({ photonPersistentDisk: disk }, at) => checkRequired(child(at, 'pdID'), disk?.pdID),
  portworxVolume: ({ portworxVolume }, at) => checkRequired(child(at, 'volumeID'), portworxVolume?.volumeID),
  azureDisk: checkAzureDisk,
  storageos: ({ storageos }, at) => [
    ...checkRequiredFormat(child(at, 'volumeName'), storageos?.volumeName, dns1123Label),
    ...(textOf(storageos?.volumeNamespace) === '' ? [] : checkFormat(child(at, 'volumeNamespace'), textOf(storageos?.volumeNamespace), dns1123Label)),
    ...(storageos?.secretRef ? checkRequired(child(at, 'secretRef.name'), storageos.secretRef.name) : []),
  ],
  scaleIO: ({ scaleIO }, at) => requiredAll(at, { gateway: scaleIO?.gateway, system: scaleIO?.system, volumeName: scaleIO?.volumeName }),
} satisfies Partial<Record<keyof Volume, Check>>

function checkIscsi({ iscsi }: Volume, at: string): FieldError[] {
  const iqn = textOf(iscsi?.iqn)
  const errors = [...checkRequired(child(at, 'targetPortal'), iscsi?.targetPortal), ...checkRequired(child(at, 'iqn'), iqn)]
  const formats: readonly (readonly [string, RegExp])[] = [['iqn', /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$/], ['eui', /^eui.[a-zA-Z0-9]{16}$/], ['naa', /^naa.[a-zA-Z0-9]{32}$/]]
  if (iqn !== '') {
    const format = formats.find(([prefix]) => iqn.startsWith(prefix))
    if (!format) errors.push(invalid(child(at, 'iqn'), iqn, 'must be valid format starting with iqn, eui, or naa'))
    else if (!format[1].test(iqn)) errors.push(invalid(child(at, 'iqn'), iqn, 'must be valid format'))
  }
  errors.push(...checkRange(child(at, 'lun'), iscsi?.lun ?? 0, 0, 255))
  if ((iscsi?.chapAuthDiscovery || iscsi?.chapAuthSession) && !iscsi.secretRef) errors.push(required(child(at, 'secretRef')))
  if (iscsi?.initiatorName !== undefined) {
    const format = formats.find(([prefix]) => iscsi.initiatorName?.startsWith(prefix))
    if (!format?.[1].test(iscsi.initiatorName)) errors.push(invalid(child(at, 'initiatorname'), iscsi.initiatorName, 'must be valid format'))
  }
  return errors
}

function checkFc({ fc }: Volume, at: string): FieldError[] {
  const names = fc?.targetWWNs?.length ?? 0
  const ids = fc?.wwids?.length ?? 0
  if (names === 0 && ids === 0) return [required(child(at, 'targetWWNs'), 'must specify either targetWWNs or wwids, but not both')]
  if (names > 0 && ids > 0) return [invalid(child(at, 'targetWWNs'), fc?.targetWWNs, 'targetWWNs and wwids can not be specified simultaneously')]
  if (names === 0) return []
  if (fc?.lun === undefined) return [required(child(at, 'lun'), 'lun is required if targetWWNs is specified')]
  return checkRange(child(at, 'lun'), fc.lun, 0, 255)
}

function checkQuobyteRegistry(registry: string, tenant: string, at: string): FieldError[] {
  const form = 'must be a host:port pair or multiple pairs separated by commas'
  if (registry === '') return [required(child(at, 'registry'), form)]
  if (tenant.length >= 65) return [required(child(at, 'tenant'), 'must be a UUID and may not exceed a length of 64 characters')]
  return registry.split(',').filter((pair) => !/^(\[[^\]]*\]|[^:]*):[^:]*$/.test(pair)).map(() => invalid(child(at, 'registry'), registry, form))
}

function checkAzureDisk({ azureDisk }: Volume, at: string): FieldError[] {
  const { diskName, diskURI = '', cachingMode, kind } = azureDisk ?? {}
  const errors = requiredAll(at, { diskName, diskURI })
  if (cachingMode !== undefined) errors.push(...checkOneOf(child(at, 'cachingMode'), cachingMode, ['None', 'ReadOnly', 'ReadWrite']))
  if (kind !== undefined) errors.push(...checkOneOf(child(at, 'kind'), kind, ['Dedicated', 'Managed', 'Shared']))
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/')) {
    errors.push(notSupported(child(at, 'diskURI'), diskURI, ['/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}']))
  }
  if (kind !== undefined && kind !== 'Managed' && !diskURI.startsWith('https://')) {
    errors.push(notSupported(child(at, 'diskURI'), diskURI, ['https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd']))
  }
  return errors
}
