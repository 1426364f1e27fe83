import type { DeviceClass } from '../types/resource/v1.ts'
import { invalid } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { qualifiedName } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkList } from './resource-api/lists.ts'
import { checkConfiguration, checkSelectors, configLimit } from './resource-api/requests.ts'

/** A resource of a domain that is not Kubernetes' own, which quota can name too. */
const isExtendedResource = (name: string): boolean =>
  name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0

function checkClass({ metadata, spec }: DeviceClass): FieldError[] {
  const name = spec.extendedResourceName
  return [
    ...checkMeta(metadata, false, nameIsDnsSubdomain),
    ...checkSelectors(spec.selectors, 'spec.selectors'),
    ...checkList('spec.config', spec.config, configLimit, checkConfiguration),
    ...(name === undefined || isExtendedResource(name) ? [] : [invalid('spec.extendedResourceName', name, 'must be a valid extended resource name')]),
  ]
}

export const deviceClassValidation: KindValidation<DeviceClass> = {
  namespaced: false,
  create: checkClass,
  update: (object, old) => [...checkMetaUpdate(object.metadata, old.metadata), ...checkClass(object)],
}
