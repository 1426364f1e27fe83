import { baselineChecks } from './baseline.ts'
import type { Check, Checked } from './check.ts'
import { restrictedChecks } from './restricted.ts'

export const levels = ['privileged', 'baseline', 'restricted'] as const
export type Level = typeof levels[number]

/** A level with the version of the standards that a namespace asks for. */
export interface Policy {
  readonly level: Level
  /** `latest` or `v1.N`; pods are held to the newest rules whichever it is. */
  readonly version: string
}

const byId = (a: Check, b: Check): number => (a.id < b.id ? -1 : 1)
const replaced = new Set(restrictedChecks.map((c) => c.replaces))
const checksOf: Record<Level, readonly Check[]> = {
  privileged: [],
  baseline: [...baselineChecks].sort(byId),
  restricted: [...baselineChecks.filter((c) => !replaced.has(c.id)), ...restrictedChecks].sort(byId),
}

/** What a level forbids of a pod, as upstream words it: `reason (detail), reason (detail)`. Undefined where nothing is forbidden. */
export function evaluate(level: Level, pod: Checked): string | undefined {
  const violations = checksOf[level].flatMap((c) => c.check(pod) ?? [])
  return violations.length === 0 ? undefined : violations.map((v) => `${v.reason} (${v.detail})`).join(', ')
}

const prefix = 'pod-security.kubernetes.io/'

/** The policies that a namespace's labels ask for; what they do not say, or say wrongly, is privileged (wrong labels are refused when they are written). */
export function policiesOf(labels: Record<string, string> | undefined): { enforce: Policy, warn: Policy } {
  const policy = (mode: string): Policy => {
    const level = levels.find((l) => l === labels?.[prefix + mode]) ?? 'privileged'
    return { level, version: labels?.[`${prefix}${mode}-version`] ?? 'latest' }
  }
  return { enforce: policy('enforce'), warn: policy('warn') }
}

/** What is wrong with the labels of a namespace, by label. */
export function labelProblems(labels: Record<string, string> | undefined): { label: string, value: string, detail: string }[] {
  return ['enforce', 'audit', 'warn'].flatMap((mode) => {
    const level = labels?.[prefix + mode]
    const version = labels?.[`${prefix}${mode}-version`]
    return [
      ...(level !== undefined && !levels.some((l) => l === level) ? [{ label: prefix + mode, value: level, detail: `must be one of ${levels.join(', ')}` }] : []),
      ...(version !== undefined && version !== 'latest' && !/^v1\.([0-9]|[1-9][0-9]*)$/.test(version) ? [{ label: `${prefix}${mode}-version`, value: version, detail: 'must be "latest" or "v1.x"' }] : []),
    ]
  })
}
