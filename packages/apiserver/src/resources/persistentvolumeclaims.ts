import { core } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { asRecord, stringAt } from '../registry/values.ts'
import { keepStatus, statusReset, statusSubresource } from './common.ts'

/** dataSource and dataSourceRef say the same; the older one may only name a claim or a snapshot, and other sources given by it are dropped. */
function settleDataSources(object: ApiObject, old: ApiObject | undefined): void {
  const spec = asRecord(object['spec'])
  if (!spec) return
  const before = asRecord(old?.['spec'])
  const reference = asRecord(spec['dataSourceRef'])
  // Sources of other namespaces are behind a gate that is off.
  if (stringAt(reference, 'namespace') !== '' && !before?.['dataSourceRef']) delete spec['dataSourceRef']
  const source = asRecord(spec['dataSource'])
  if (!before?.['dataSource'] && !before?.['dataSourceRef'] && !spec['dataSourceRef'] && source) {
    const group = stringAt(source, 'apiGroup')
    const kind = stringAt(source, 'kind')
    const known = (kind === 'PersistentVolumeClaim' && group === '') || (kind === 'VolumeSnapshot' && group === 'snapshot.storage.k8s.io')
    if (!known) delete spec['dataSource']
  }
  if (spec['dataSource'] && !spec['dataSourceRef']) spec['dataSourceRef'] = { ...asRecord(spec['dataSource']) }
  else if (spec['dataSourceRef'] && !spec['dataSource'] && stringAt(spec, 'dataSourceRef', 'namespace') === '') {
    const { namespace: _, ...rest } = asRecord(spec['dataSourceRef']) ?? {}
    spec['dataSource'] = rest
  }
}

export const persistentvolumeclaims: ResourceDefinition = {
  resource: core.persistentvolumeclaims,
  storagePrefix: 'persistentvolumeclaims',
  resetFields: statusReset,
  returnsDeletedObject: true,
  prepareForCreate(object) {
    object['status'] = { phase: 'Pending' }
    settleDataSources(object, undefined)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    settleDataSources(object, old)
  },
  subresources: { status: statusSubresource() },
}
