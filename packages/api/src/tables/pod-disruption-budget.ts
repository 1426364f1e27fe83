import type { PodDisruptionBudget } from '../types/policy/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const podDisruptionBudgetTable: KindTable<PodDisruptionBudget> = {
  columns: [
    nameColumn,
    { name: 'Min Available', description: 'The minimum number of pods that must be available.' },
    { name: 'Max Unavailable', description: 'The maximum number of pods that may be unavailable.' },
    { name: 'Allowed Disruptions', type: 'integer', description: 'Calculated number of pods that may be disrupted at this time.' },
    ageColumn,
  ],
  cells: (budget, now) => [
    budget.metadata.name, String(budget.spec?.minAvailable ?? 'N/A'), String(budget.spec?.maxUnavailable ?? 'N/A'), budget.status?.disruptionsAllowed ?? 0, ageOf(budget, now),
  ],
}
