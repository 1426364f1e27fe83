import { core } from '@berth/api'
import type { PersistentVolumeClaim } from '@berth/api/types/core/v1'
import { keyOf, tryParseQuantity } from '@berth/kube'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'

/** Whether a bound claim asks for more than its volume has. */
export function asksForMore({ spec, status }: PersistentVolumeClaim): boolean {
  if (status?.phase !== 'Bound') return false
  const asked = tryParseQuantity(spec?.resources?.requests?.['storage'])
  const has = tryParseQuantity(status.capacity?.['storage'])
  return asked !== undefined && (has === undefined || asked.cmp(has) > 0)
}

/** Tells whoever asked for more that the driver's resizer is waited for: no volume is expanded in-tree. */
export const volumeExpander: Controller = {
  name: 'persistentvolume-expander-controller',
  async run(context) {
    const claims = context.informers.for(core.persistentvolumeclaims)
    const recorder = context.recorder('volume_expand')
    const frame = keyedController({
      name: 'volume_expand', workers: 5, context, informers: [claims],
      async sync(key) {
        const claim = claims.store.get(key)
        if (claim === undefined || !asksForMore(claim)) return
        const volume = await context.client.get(core.persistentvolumes, claim.spec?.volumeName ?? '')
        if (volume.spec.claimRef?.uid !== claim.metadata.uid) throw new Error(`persistent Volume is not bound to PVC being updated : ${key}`)
        recorder.event(claim, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC')
      },
    })
    const size = (claim: PersistentVolumeClaim): string => `${claim.spec?.resources?.requests?.['storage']} ${claim.status?.capacity?.['storage']}`
    const off = claims.on({
      added: (claim) => { if (asksForMore(claim)) frame.queue.add(keyOf(claim)) },
      updated: (old, claim) => { if (size(old) !== size(claim) && asksForMore(claim)) frame.queue.add(keyOf(claim)) },
    })
    await frame.run()
    off()
  },
}
