import { claimSize, volumeSize } from '@berth/pod-rules'
import type { PodVolumes } from './find.ts'

/** A shape's point: how full storage would be (0 to 100), and what that is worth (0 to 10). */
export interface ShapePoint {
  readonly utilization: number
  readonly score: number
}

/** Room to grow is better: what VolumeBindingArgs.shape is where nothing is said. */
export const defaultShape: readonly ShapePoint[] = [{ utilization: 0, score: 10 }, { utilization: 100, score: 0 }]

function shaped(shape: readonly ShapePoint[], utilization: number): number {
  for (const [i, point] of shape.entries()) {
    if (utilization > point.utilization) continue
    const before = shape[i - 1]
    if (!before) return point.score
    return before.score + Math.trunc(((point.score - before.score) * (utilization - before.utilization)) / (point.utilization - before.utilization))
  }
  return shape.at(-1)?.score ?? 0
}

interface Use {
  requested: number
  capacity: number
}

function useOf(uses: Map<string, Use>, storageClass: string): Use {
  const use = uses.get(storageClass) ?? { requested: 0, capacity: 0 }
  uses.set(storageClass, use)
  return use
}

/** By class: of the volumes that are there; where there are none, of those to be made. */
function usesOf({ bindings, provisions }: PodVolumes): Map<string, Use> {
  const uses = new Map<string, Use>()
  for (const { claim, volume } of bindings) {
    const use = useOf(uses, volume.spec.storageClassName ?? '')
    use.requested += Number(claimSize(claim).value())
    use.capacity += Number(volumeSize(volume).value())
  }
  if (bindings.length > 0) return uses
  for (const { claim, capacity } of provisions) {
    if (!capacity) continue
    const use = useOf(uses, claim.spec.storageClassName ?? '')
    use.requested += Number(claimSize(claim).value())
    use.capacity = Number(volumeSize({ metadata: { name: '' }, spec: { capacity: { storage: capacity.capacity ?? '0' } } }).value())
  }
  return uses
}

/** A node's score by how full its storage would be, all classes alike; 0 where that is not known (gate StorageCapacityScoring). */
export function storageScore(volumes: PodVolumes, shape: readonly ShapePoint[]): number {
  const uses = [...usesOf(volumes).values()]
  if (uses.length === 0) return 0
  // A shape's scores are 0 to 10; nodes' scores 0 to 100.
  const scaled = shape.map(({ utilization, score }) => ({ utilization, score: score * 10 }))
  const sum = uses.reduce((total, { requested, capacity }) => total + shaped(scaled, capacity === 0 || requested > capacity ? 100 : Math.trunc((requested * 100) / capacity)), 0)
  return Math.round(sum / uses.length)
}
