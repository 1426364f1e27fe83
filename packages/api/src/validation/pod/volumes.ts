import type { KeyToPath, Volume } from '../../types/core/v1.ts'
import { checkOneOf, checkRequired, checkRequiredFormat, child, quantity, textOf } from '../common.ts'
import { duplicate, forbidden, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, dns1123Subdomain } from '../formats.ts'
import { checkPullPolicy } from './pull-policy.ts'
import { checkDownwardApiFiles, checkProjected } from './projected-volumes.ts'
import { checkFileMode, checkNoBacksteps, checkNonReservedPath } from './paths.ts'
import { checkClaimTemplate } from './claim-template.ts'
import { legacyVolumeChecks } from './legacy-volumes.ts'

interface VolumeScope {
  readonly isPod: boolean
  /** The pod's name, where it is known: it becomes part of the names of claims. */
  readonly podName: string
}

/** Checks a pod's volumes; gives those that are well-formed by name besides the problems. */
export function checkVolumes(volumes: readonly Volume[] | undefined, field: string, scope: VolumeScope): { volumes: Map<string, Volume>; errors: FieldError[] } {
  const good = new Map<string, Volume>()
  const errors: FieldError[] = []
  const created = new Set(scope.podName === '' ? [] : (volumes ?? []).filter((v) => v.ephemeral).map((v) => `${scope.podName}-${v.name}`))
  volumes?.forEach((volume, i) => {
    const at = `${field}[${i}]`
    const own = [...checkSource(volume, at, scope), ...checkRequiredFormat(child(at, 'name'), volume.name, dns1123Label)]
    if (good.has(volume.name)) own.push(duplicate(child(at, 'name'), volume.name))
    if (own.length === 0) good.set(volume.name, volume)
    errors.push(...own)
    const claim = volume.persistentVolumeClaim?.claimName
    if (claim !== undefined && created.has(claim)) {
      errors.push(invalid(child(at, 'persistentVolumeClaim.claimName'), claim, 'must not reference a PVC that gets created for an ephemeral volume'))
    }
  })
  return { volumes: good, errors }
}

type SourceCheck = (volume: Volume, field: string, scope: VolumeScope) => FieldError[]
type SourceName = Exclude<keyof Volume, 'name'>

/** The volume types in the order they are judged: of two, the later one is refused. */
const sources: readonly (readonly [SourceName, SourceCheck, string?])[] = [
  ['emptyDir', ({ emptyDir }, at) => (emptyDir?.sizeLimit !== undefined && quantity(emptyDir.sizeLimit).sign() < 0 ? [forbidden(child(at, 'sizeLimit'), 'SizeLimit field must be a valid resource quantity')] : [])],
  ['hostPath', checkHostPath],
  ['gitRepo', legacyVolumeChecks.gitRepo],
  ['gcePersistentDisk', legacyVolumeChecks.gcePersistentDisk],
  ['awsElasticBlockStore', legacyVolumeChecks.awsElasticBlockStore],
  ['secret', ({ secret }, at) => [...checkRequired(child(at, 'secretName'), secret?.secretName), ...checkFileMode(child(at, 'defaultMode'), secret?.defaultMode), ...checkItems(secret?.items, at)]],
  ['nfs', legacyVolumeChecks.nfs],
  ['iscsi', legacyVolumeChecks.iscsi],
  ['glusterfs', legacyVolumeChecks.glusterfs],
  ['flocker', legacyVolumeChecks.flocker],
  ['persistentVolumeClaim', (volume, at) => checkRequired(child(at, 'claimName'), volume.persistentVolumeClaim?.claimName)],
  ['rbd', legacyVolumeChecks.rbd],
  ['cinder', legacyVolumeChecks.cinder],
  ['cephfs', legacyVolumeChecks.cephfs],
  ['quobyte', legacyVolumeChecks.quobyte],
  ['downwardAPI', ({ downwardAPI }, at) => [...checkFileMode(child(at, 'defaultMode'), downwardAPI?.defaultMode), ...checkDownwardApiFiles(downwardAPI?.items, at)], 'downwarAPI'],
  ['fc', legacyVolumeChecks.fc],
  ['flexVolume', legacyVolumeChecks.flexVolume],
  ['configMap', ({ configMap }, at) => [...checkRequired(child(at, 'name'), configMap?.name), ...checkFileMode(child(at, 'defaultMode'), configMap?.defaultMode), ...checkItems(configMap?.items, at)]],
  ['azureFile', legacyVolumeChecks.azureFile],
  ['vsphereVolume', legacyVolumeChecks.vsphereVolume],
  ['photonPersistentDisk', legacyVolumeChecks.photonPersistentDisk],
  ['portworxVolume', legacyVolumeChecks.portworxVolume],
  ['azureDisk', legacyVolumeChecks.azureDisk],
  ['storageos', legacyVolumeChecks.storageos],
  ['projected', ({ projected }, at) => (projected ? checkProjected(projected, at) : [])],
  ['scaleIO', legacyVolumeChecks.scaleIO],
  ['csi', checkCsi],
  ['ephemeral', checkEphemeral],
  ['image', ({ image }, at, { isPod }) => [...(isPod ? checkRequired(child(at, 'reference'), image?.reference) : []), ...checkPullPolicy(child(at, 'pullPolicy'), image?.pullPolicy)]],
]

function checkSource(volume: Volume, field: string, scope: VolumeScope): FieldError[] {
  const errors: FieldError[] = []
  let found = 0
  for (const [name, check, refusedAs = name] of sources) {
    if (volume[name] === undefined) continue
    if (found > 0) errors.push(forbidden(child(field, refusedAs), 'may not specify more than 1 volume type'))
    else errors.push(...check(volume, child(field, name), scope))
    found++
  }
  if (found === 0) errors.push(required(field, 'must specify a volume type'))
  return errors
}

export const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']

function checkHostPath({ hostPath }: Volume, at: string): FieldError[] {
  if (textOf(hostPath?.path) === '') return [required(child(at, 'path'))]
  return [
    ...checkNoBacksteps(child(at, 'path'), textOf(hostPath?.path)),
    ...(hostPath?.type === undefined ? [] : checkOneOf(child(at, 'type'), hostPath.type, hostPathTypes)),
  ]
}

/** `items` of secret and configMap volumes; upstream names the list without the index in some paths. */
function checkItems(items: readonly KeyToPath[] | undefined, at: string): FieldError[] {
  return (items ?? []).flatMap((item, i) => checkKeyToPath(item, `${at}.items[${i}]`))
}

/** One key that becomes a file. */
export function checkKeyToPath(item: KeyToPath, at: string): FieldError[] {
  return [
    ...checkRequired(child(at, 'key'), item.key),
    ...checkRequired(child(at, 'path'), item.path),
    ...checkNonReservedPath(child(at, 'path'), textOf(item.path)),
    ...checkFileMode(child(at, 'mode'), item.mode),
  ]
}

function checkCsi({ csi }: Volume, at: string): FieldError[] {
  const errors = checkCsiDriverName(child(at, 'driver'), textOf(csi?.driver))
  const secret = csi?.nodePublishSecretRef
  if (!secret) return errors
  if (textOf(secret.name) === '') return [...errors, required(child(at, 'nodePublishSecretRef.name'))]
  return [...errors, ...dns1123Subdomain(textOf(secret.name)).map((problem) => invalid(child(at, 'name'), secret.name, problem))]
}

function checkCsiDriverName(field: string, driver: string): FieldError[] {
  const errors = driver === '' ? [required(field)] : []
  if (driver.length > 63) errors.push({ type: 'TooLong', field, detail: 'may not be more than 63 bytes' })
  return [...errors, ...dns1123Subdomain(driver.toLowerCase()).map((problem) => invalid(field, driver, problem))]
}

function checkEphemeral(volume: Volume, at: string, { podName }: VolumeScope): FieldError[] {
  const template = volume.ephemeral?.volumeClaimTemplate
  const errors = template ? checkClaimTemplate(template, child(at, 'volumeClaimTemplate')) : [required(child(at, 'volumeClaimTemplate'))]
  if (podName === '' || textOf(volume.name) === '') return errors
  const claim = `${podName}-${volume.name}`
  const volumeField = at.slice(0, -'.ephemeral'.length)
  return [...errors, ...dns1123Subdomain(claim).map((problem) => invalid(child(volumeField, 'name'), volume.name, `PVC name "${claim}": ${problem}`))]
}
