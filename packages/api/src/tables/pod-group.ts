import type { PodGroup } from '../types/scheduling/v1alpha2.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

function state({ status }: PodGroup): string {
  const last = (type: string) => status?.conditions?.findLast((condition) => condition.type === type)
  const target = last('DisruptionTarget')
  if (target) return target.reason ?? ''
  const scheduled = last('PodGroupScheduled')
  return scheduled ? scheduled.status === 'True' ? 'Scheduled' : 'Unschedulable' : 'Pending'
}

export const podGroupTable: KindTable<PodGroup> = {
  columns: [
    nameColumn,
    { name: 'Policy', description: ['scheduling/v1alpha2', 'PodGroupSpec', 'schedulingPolicy'] },
    { name: 'Workload', description: 'Name of the referenced Workload object' },
    { name: 'Status', description: 'Status of the PodGroup' },
    ageColumn,
  ],
  cells: (group, now) => [
    group.metadata.name, group.spec?.schedulingPolicy?.gang ? 'Gang' : 'Basic', group.spec?.podGroupTemplateRef?.workload?.workloadName ?? '<none>', state(group), ageOf(group, now),
  ],
}
