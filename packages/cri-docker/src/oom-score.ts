import { readFileSync } from 'node:fs'
import type { Logger } from '@berth/kube'
import { effectiveCapabilities, hasCapability } from './containers/capabilities.ts'

/**
 * The lowest OOM score adjustment that this machine lets us give: without CAP_SYS_RESOURCE a process can only raise its own.
 * The Engine is taken to run with the same right.
 */
export function lowestOomScore(): number {
  return hasCapability(effectiveCapabilities(), 'SYS_RESOURCE') ? -1000 : Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
}

/** Clamps scores to what the machine allows, and says so once. */
export function createOomScoreClamp(logger: Logger, lowest: number = lowestOomScore()): (score: number) => number {
  let said = false
  return (score) => {
    if (score >= lowest) return score
    if (!said) logger.warn('This machine does not allow negative OOM scores (no CAP_SYS_RESOURCE); they are raised to its lowest', { wanted: score, lowest })
    said = true
    return lowest
  }
}
