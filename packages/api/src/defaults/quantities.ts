import { parseQuantity } from '../quantity/index.ts'
import type { ResourceList } from '../types/core/v1.ts'

/** Writes the amounts of a resource list canonically, rounded up to thousandths: `1000m` becomes `1`. */
export function canonicalizeResources(list: ResourceList | undefined | null): void {
  for (const [name, amount] of Object.entries(list ?? {})) if (list) list[name] = parseQuantity(String(amount)).roundUpToMilli().toString()
}
