import type { Volume, VolumeDevice, VolumeMount } from '../../types/core/v1.ts'
import { checkOneOf, child, textOf } from '../common.ts'
import { forbidden, invalid, notFound, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { checkDescendingPath, checkNoBacksteps } from './paths.ts'
import type { AnyContainer } from './context.ts'

/** Where a container mounts the pod's volumes; each path once, no name or path that is a device's. */
export function checkMounts(container: AnyContainer, volumes: ReadonlyMap<string, Volume>, at: string): FieldError[] {
  const devices = container.volumeDevices ?? []
  const paths = new Set<string>()
  return (container.volumeMounts ?? []).flatMap((mount, i) => {
    const field = `${at}[${i}]`
    const name = textOf(mount.name)
    const path = textOf(mount.mountPath)
    const errors: FieldError[] = []
    if (name === '') errors.push(required(child(field, 'name')))
    if (!volumes.has(name)) errors.push(notFound(child(field, 'name'), name))
    if (path === '') errors.push(required(child(field, 'mountPath')))
    if (paths.has(path)) errors.push(invalid(child(field, 'mountPath'), path, 'must be unique'))
    paths.add(path)
    if (devices.some((device) => device.name === name)) errors.push(invalid(child(field, 'name'), name, 'must not already exist in volumeDevices'))
    if (devices.some((device) => device.devicePath === path)) errors.push(invalid(child(field, 'mountPath'), path, 'must not already exist as a path in volumeDevices'))
    return [...errors, ...checkSubPaths(mount, field, at), ...checkPropagation(mount, container, child(at, 'mountPropagation')), ...checkRecursiveReadOnly(mount, child(at, 'recursiveReadOnly'))]
  })
}

/** Upstream names the list, not the mount, for a malformed sub-path. */
function checkSubPaths(mount: VolumeMount, field: string, list: string): FieldError[] {
  const path = textOf(mount.subPath)
  const expression = textOf(mount.subPathExpr)
  return [
    ...(path === '' ? [] : checkDescendingPath(child(list, 'subPath'), path)),
    ...(expression !== '' && path !== '' ? [invalid(child(field, 'subPathExpr'), expression, 'subPathExpr and subPath are mutually exclusive')] : []),
    ...(expression === '' ? [] : checkDescendingPath(child(list, 'subPathExpr'), expression)),
  ]
}

function checkPropagation(mount: VolumeMount, container: AnyContainer, field: string): FieldError[] {
  if (mount.mountPropagation === undefined) return []
  const errors = checkOneOf(field, mount.mountPropagation, ['Bidirectional', 'HostToContainer', 'None'])
  if (mount.mountPropagation !== 'Bidirectional' || container.securityContext?.privileged === true) return errors
  return [...errors, forbidden(field, 'Bidirectional mount propagation is available only to privileged containers')]
}

function checkRecursiveReadOnly(mount: VolumeMount, field: string): FieldError[] {
  const mode = mount.recursiveReadOnly
  if (mode === undefined || mode === 'Disabled') return []
  if (mode !== 'Enabled' && mode !== 'IfPossible') return checkOneOf(field, mode, ['Disabled', 'Enabled', 'IfPossible'])
  return [
    ...(mount.readOnly ? [] : [forbidden(field, 'may only be specified when readOnly is true')]),
    ...(mount.mountPropagation !== undefined && mount.mountPropagation !== 'None' ? [forbidden(field, 'may only be specified when mountPropagation is None or not specified')] : []),
  ]
}

/** Block devices: only of claims, each name and path once. */
export function checkDevices(devices: readonly VolumeDevice[] | undefined, mounts: readonly VolumeMount[] | undefined, volumes: ReadonlyMap<string, Volume>, at: string): FieldError[] {
  const names = new Set<string>()
  const paths = new Set<string>()
  return (devices ?? []).flatMap((device, i) => {
    const field = `${at}[${i}]`
    const name = textOf(device.name)
    const path = textOf(device.devicePath)
    const volume = volumes.get(name)
    const errors: FieldError[] = []
    if (name === '') errors.push(required(child(field, 'name')))
    if (names.has(name)) errors.push(invalid(child(field, 'name'), name, 'must be unique'))
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      errors.push(invalid(child(field, 'name'), name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'))
    }
    if (!volume) errors.push(notFound(child(field, 'name'), name))
    if (path === '') errors.push(required(child(field, 'devicePath')))
    if (paths.has(path)) errors.push(invalid(child(field, 'devicePath'), path, 'must be unique'))
    if (checkNoBacksteps('', path).length > 0) errors.push(invalid(child(field, 'devicePath'), path, "can not contain backsteps ('..')"))
    else paths.add(path)
    if (mounts?.some((mount) => mount.name === name)) errors.push(invalid(child(field, 'name'), name, 'must not already exist in volumeMounts'))
    if (mounts?.some((mount) => mount.mountPath === path)) errors.push(invalid(child(field, 'devicePath'), path, 'must not already exist as a path in volumeMounts'))
    if (name !== '') names.add(name)
    return errors
  })
}
