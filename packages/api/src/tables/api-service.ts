import type { APIService } from '../types/apiregistration/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

function available({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === 'Available')
  if (!condition) return 'Unknown'
  return condition.status === 'True' || !condition.reason ? condition.status : `${condition.status} (${condition.reason})`
}

export const apiServiceTable: KindTable<APIService> = {
  columns: [
    nameColumn,
    { name: 'Service', description: 'The reference to the service that hosts this API endpoint.' },
    { name: 'Available', description: 'Whether this service is available.' },
    ageColumn,
  ],
  cells(object, now) {
    const service = object.spec?.service
    return [object.metadata.name, service ? `${service.namespace ?? ''}/${service.name ?? ''}` : 'Local', available(object), ageOf(object, now)]
  },
}
