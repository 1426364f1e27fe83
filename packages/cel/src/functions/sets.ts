import { sizeOf } from './cost.ts'
import { overload } from './overload.ts'
import { contains } from '../values/compare.ts'
import type { CelList } from '../values/containers.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'

const containsAll = (list: CelList, part: CelList): boolean => [...part].every(item => contains(list, item))
const cost = (factor: number) => (args: readonly Value[]): number => 1 + sizeOf(args[0]) * sizeOf(args[1]) * factor

/** The sets extension. */
export const sets: readonly Overload[] = [
  overload('sets.contains(list(T), list(T)): bool', containsAll, cost(1)),
  overload('sets.equivalent(list(T), list(T)): bool', (a: CelList, b: CelList) => containsAll(a, b) && containsAll(b, a), cost(2)),
  overload('sets.intersects(list(T), list(T)): bool', (a: CelList, b: CelList) => [...a].some(item => contains(b, item)), cost(1)),
]
