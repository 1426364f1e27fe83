import type { Container, ContainerStatus, PodSpec } from '../../types/core/v1.ts'
import { forbidden } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'

/** What has ended stays ended, unless it is of those that are started again. */
export function checkTransitions(now: readonly ContainerStatus[] | undefined, before: readonly ContainerStatus[] | undefined, at: string, mayStart: (name: string, exitCode: number) => boolean): FieldError[] {
  return (before ?? []).flatMap((old, i) => {
    const ended = old.state?.terminated
    const runsAgain = now?.some((status) => status.name === old.name && !status.state?.terminated)
    return ended && runsAgain && !mayStart(old.name, ended.exitCode ?? 0) ? [forbidden(`${at}[${i}].state`, 'may not be transitioned to non-terminated state')] : []
  })
}

/** Tells whether a container of the list is started again after it exited: by its own rules, its own policy, else the pod's. */
export function restartsOf(spec: PodSpec, containers: readonly Container[] | undefined): (name: string, exitCode: number) => boolean {
  const all = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  if (all.some((container) => container.restartPolicyRules?.some((rule) => rule.action === 'RestartAllContainers'))) return () => true
  return (name, exitCode) => {
    const container = containers?.find((one) => one.name === name)
    if (!container) return false
    if (container.restartPolicy !== undefined && matchesRule(container, exitCode)) return true
    const policy = container.restartPolicy ?? spec.restartPolicy
    return policy === 'OnFailure' ? exitCode !== 0 : policy !== 'Never'
  }
}

/** The first rule for the exit code says that the container restarts: no rule says otherwise. */
function matchesRule({ restartPolicyRules = [] }: Container, exitCode: number): boolean {
  return restartPolicyRules.some(({ exitCodes }) => {
    const isListed = exitCodes?.values?.includes(exitCode) ?? false
    return exitCodes?.operator === 'In' ? isListed : exitCodes?.operator === 'NotIn' && !isListed
  })
}
