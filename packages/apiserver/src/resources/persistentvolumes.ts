import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { asRecord, formatTime, stringAt, valueAt } from '../registry/values.ts'
import { keepStatus, statusReset, statusSubresource } from './common.ts'

export const persistentvolumes: ResourceDefinition = {
  resource: core.persistentvolumes,
  storagePrefix: 'persistentvolumes',
  resetFields: statusReset,
  returnsDeletedObject: true,
  prepareForCreate(object) {
    object['status'] = { phase: 'Pending', lastPhaseTransitionTime: formatTime(Date.now()) }
  },
  prepareForUpdate: keepStatus,
  subresources: {
    // The time of a phase is the server's where the client does not give one.
    status: statusSubresource({ adjust(object, old) {
      const status = asRecord(object['status']) ?? {}
      const time = 'lastPhaseTransitionTime'
      const before = valueAt(old, 'status', time)
      if (stringAt(object, 'status', 'phase') !== stringAt(old, 'status', 'phase')) {
        if (status[time] === undefined || status[time] === before) status[time] = formatTime(Date.now())
      } else if (status[time] === undefined && before !== undefined) status[time] = before
    } }),
  },
}
