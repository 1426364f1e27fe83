import type { PriorityClass } from '../types/scheduling/v1.ts'

export function defaultPriorityClass(priorityClass: PriorityClass): void {
  priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
}
