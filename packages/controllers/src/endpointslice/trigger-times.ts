import type { Pod, Service } from '@berth/api/types/core/v1'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import { podCondition } from '../common/pods.ts'

/** When what made an Endpoints object or a slice change had happened: whoever programs a network measures itself by it. */
const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'

interface Known {
  readonly pods: ReadonlyMap<string, number>
  readonly service: number
}

/** What each Service's pods and the Service itself were last seen to have done, so that only what is new counts as the cause of a change. */
export class TriggerTimes {
  readonly #known = new Map<string, Known>()

  /** The earliest thing that is new of a Service (its creation, a pod's change of readiness) in milliseconds; undefined where nothing is. */
  next(key: string, service: Service, pods: readonly Pod[]): number | undefined {
    const before = this.#known.get(key)
    const times = new Map<string, number>()
    const fresh: number[] = []
    for (const pod of pods) {
      const time = Date.parse(podCondition(pod, 'Ready')?.lastTransitionTime ?? '')
      if (Number.isNaN(time)) continue
      times.set(pod.metadata.name, time)
      if (time > (before?.pods.get(pod.metadata.name) ?? 0)) fresh.push(time)
    }
    const created = Date.parse(service.metadata.creationTimestamp ?? '') || 0
    if (created > (before?.service ?? 0)) fresh.push(created)
    this.#known.set(key, { pods: times, service: created })
    return fresh.length === 0 ? undefined : Math.min(...fresh)
  }

  forget(key: string): void {
    this.#known.delete(key)
  }
}

/** Metadata that says when the cause of this change was, and nothing of the one before. */
export function withTriggerTime<M extends ObjectMeta>(metadata: M, time: number | undefined): M {
  const { [triggerTimeAnnotation]: _old, ...others } = metadata.annotations ?? {}
  const annotations = time === undefined ? others : { ...others, [triggerTimeAnnotation]: new Date(time).toISOString().replace(/\.?0*Z$/, 'Z') }
  const { annotations: _before, ...rest } = metadata
  return (Object.keys(annotations).length === 0 ? rest : { ...rest, annotations }) as M
}
