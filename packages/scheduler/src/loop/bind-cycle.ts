import type { Extender } from '../extenders/extender.ts'
import type { Permits, Refusal } from './permits.ts'
import type { Placement, PointTimer } from './placement.ts'

export interface BindContext {
  readonly permits: Permits
  readonly time: PointTimer & { permitWaited(result: 'success' | 'rejected', seconds: number): void }
  /** Binds pods like this one in the plugins' place. */
  readonly extender: Pick<Extender, 'bind'> | undefined
  /** From here on the pod can fail, but no more be unschedulable. */
  departed(): void
  /** The pod will be on its node before long: others may be told. */
  expect(): void
}

/**
 * From a place in memory to a bound pod: waits for leave, prepares the API, binds. Gives why there is no leave; rejects where anything fails.
 * What was reserved and assumed is the caller's to take back.
 */
export async function bindCycle(placement: Placement, { permits, time, extender, departed, expect }: BindContext): Promise<Refusal | undefined> {
  const { info, node, waits } = placement
  const needsPreBind = placement.needsPreBind
  if (waits.size > 0 || needsPreBind) expect()
  if (waits.size > 0) {
    const started = performance.now()
    const refusal = await permits.wait(info, node, waits)
    time.permitWaited(refusal ? 'rejected' : 'success', (performance.now() - started) / 1000)
    if (refusal) return refusal
  }
  departed()
  if (needsPreBind) {
    placement.isPreparing = true
    try {
      const status = await time.point('PreBind', placement.profile.schedulerName, () => placement.preBind(time))
      if (status) throw new Error(`running PreBind plugin ${JSON.stringify(status.plugin)}: ${status.reasons.join(', ')}`)
      placement.abort.signal.throwIfAborted()
    } finally {
      placement.isPreparing = false
    }
  }
  await time.point('Bind', placement.profile.schedulerName, () => (extender ? extender.bind(info, node) : placement.bind(time)))
  return undefined
}
