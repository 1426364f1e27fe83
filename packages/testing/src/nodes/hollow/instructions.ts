import type { Pod } from '@berth/api/types/core/v1'
import { parseDuration } from '@berth/kube'

/** Annotations of a pod that tell a hollow node how its containers behave. */
export const hollowAnnotations = {
  /** Main containers end with this code; without it they run on. */
  exitCode: 'hollow.berth.dev/exit-code',
  /** How long they run before they end: `2s`; at once without it. */
  runFor: 'hollow.berth.dev/run-for',
  /** How long it takes until they start: `500ms`. */
  startAfter: 'hollow.berth.dev/start-after',
  /** They never start, for this reason: `ImagePullBackOff`. */
  waiting: 'hollow.berth.dev/waiting',
  /** `false`: they run and are not ready. */
  ready: 'hollow.berth.dev/ready',
  /** How long they go on once they were told to stop: `5s`; the grace period is the end of it. */
  stopAfter: 'hollow.berth.dev/stop-after',
} as const

/** How a pod's containers behave; durations are in milliseconds. */
export interface Instructions {
  /** Undefined: they run until they are stopped. */
  readonly exitCode: number | undefined
  readonly runForMs: number
  readonly startAfterMs: number
  readonly waiting: string | undefined
  readonly ready: boolean
  readonly stopAfterMs: number
}

/** What becomes of the pods of Jobs that say nothing of it themselves. */
export type HollowJobs = 'complete' | 'run'

/** Reads a pod's annotations; one that cannot be read counts as absent. The pods of a Job end well at once where `jobs` says so. */
export function instructionsOf(pod: Pod, jobs: HollowJobs): Instructions {
  const said = pod.metadata.annotations ?? {}
  const code = said[hollowAnnotations.exitCode]
  const ofJob = pod.metadata.ownerReferences?.some((owner) => owner.kind === 'Job' && owner.controller === true) === true
  return {
    exitCode: code !== undefined && /^\d{1,3}$/.test(code) ? Number(code) : ofJob && jobs === 'complete' ? 0 : undefined,
    runForMs: duration(said[hollowAnnotations.runFor]),
    startAfterMs: duration(said[hollowAnnotations.startAfter]),
    waiting: said[hollowAnnotations.waiting] || undefined,
    ready: said[hollowAnnotations.ready] !== 'false',
    stopAfterMs: duration(said[hollowAnnotations.stopAfter]),
  }
}

function duration(text: string | undefined): number {
  if (text === undefined) return 0
  try {
    return parseDuration(text)
  } catch {
    return 0
  }
}
