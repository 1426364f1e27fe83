import { join } from 'node:path'
import type { Pod } from '@berth/api/types/core/v1'

/** <podLogsDir>/<namespace>_<name>_<uid>, where the runtime writes the logs of the pod's containers. */
export function podLogDirectory(podLogsDir: string, pod: Pod): string {
  // A static pod's mirror has the API server's uid; the runtime knows the pod by the one of its manifest, which the pod carries here.
  return join(podLogsDir, `${pod.metadata.namespace ?? ''}_${pod.metadata.name}_${pod.metadata.uid ?? ''}`)
}

/** The log of one instance, below the pod's directory. */
export const containerLogPath = (container: string, restartCount: number): string => join(container, `${restartCount}.log`)

/** The link that log collectors read: <containersDir>/<pod>_<namespace>_<container>-<id>.log. */
export const legacyLogLink = (containersDir: string, pod: { name: string; namespace: string }, container: string, id: string): string =>
  join(containersDir, `${pod.name}_${pod.namespace}_${container}-${id}.log`)
