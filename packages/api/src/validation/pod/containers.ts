import type { Container, ContainerPort, ContainerResizePolicy, EphemeralContainer, PodSpec } from '../../types/core/v1.ts'
import { checkOneOf, checkPort, checkRequired, checkRequiredFormat, checkRequiredOneOf, child, sameValue, textOf } from '../common.ts'
import { duplicate, forbidden, invalid, notFound, required, tooMany } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, portName } from '../formats.ts'
import { isSidecar } from './context.ts'
import type { AnyContainer, PodContext } from './context.ts'
import { checkEnv, checkEnvFrom } from './env.ts'
import { checkLifecycle, checkProbes } from './handlers.ts'
import { checkDevices, checkMounts } from './mounts.ts'
import { checkPullPolicy } from './pull-policy.ts'
import { checkResources } from './resources.ts'
import { checkSecurityContext } from './security.ts'

/** The protocols that ports may have, sorted. */
export const protocols = ['SCTP', 'TCP', 'UDP']

function checkPorts(ports: readonly ContainerPort[] | undefined, at: string): FieldError[] {
  const names = new Set<string>()
  return (ports ?? []).flatMap((port, i) => {
    const field = `${at}[${i}]`
    const name = textOf(port.name)
    const errors: FieldError[] = []
    if (name !== '') {
      const problems = portName(name)
      if (problems.length > 0) errors.push(...problems.map((problem) => invalid(child(field, 'name'), name, problem)))
      else if (names.has(name)) errors.push(duplicate(child(field, 'name'), name))
      else names.add(name)
    }
    if ((port.containerPort ?? 0) === 0) errors.push(required(child(field, 'containerPort')))
    else errors.push(...checkPort(child(field, 'containerPort'), port.containerPort))
    if ((port.hostPort ?? 0) !== 0) errors.push(...checkPort(child(field, 'hostPort'), port.hostPort))
    return [...errors, ...checkRequiredOneOf(child(field, 'protocol'), port.protocol, protocols)]
  })
}

/** What all kinds of containers have in common. */
function checkCommon(container: AnyContainer, at: string, context: PodContext): FieldError[] {
  return [
    ...checkRequiredFormat(child(at, 'name'), container.name, dns1123Label),
    ...checkRequired(child(at, 'image'), container.image),
    ...checkRequiredOneOf(child(at, 'terminationMessagePolicy'), container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']),
    ...checkPorts(container.ports, child(at, 'ports')),
    ...checkEnv(container.env, child(at, 'env')),
    ...checkEnvFrom(container.envFrom, child(at, 'envFrom')),
    ...checkMounts(container, context.volumes, child(at, 'volumeMounts')),
    ...checkDevices(container.volumeDevices, container.volumeMounts, context.volumes, child(at, 'volumeDevices')),
    ...checkPullPolicy(child(at, 'imagePullPolicy'), container.imagePullPolicy),
    ...checkResources(child(at, 'resources'), container.resources, context.claimNames),
    ...checkResizePolicy(container.resizePolicy, child(at, 'resizePolicy'), context.restartPolicy),
    ...checkSecurityContext(container.securityContext, child(at, 'securityContext'), context),
  ]
}

function checkResizePolicy(policies: readonly ContainerResizePolicy[] | undefined, at: string, podRestartPolicy: string): FieldError[] {
  const seen = new Set<string>()
  return (policies ?? []).flatMap((policy, i) => {
    const errors: FieldError[] = []
    if (seen.has(policy.resourceName)) errors.push(duplicate(`${at}[${i}]`, policy.resourceName))
    seen.add(policy.resourceName)
    errors.push(...checkRequiredOneOf(at, policy.resourceName, ['cpu', 'memory']), ...checkRequiredOneOf(at, policy.restartPolicy, ['NotRequired', 'RestartContainer']))
    if (podRestartPolicy === 'Never' && policy.restartPolicy !== 'NotRequired') errors.push(invalid(at, textOf(policy.restartPolicy), "must be 'NotRequired' when `restartPolicy` is 'Never'"))
    return errors
  })
}

function checkHostPortConflicts(containers: readonly Container[], at: string): FieldError[] {
  const seen = new Set<string>()
  return containers.flatMap((container, i) => (container.ports ?? []).flatMap((port, j) => {
    if (!port.hostPort) return []
    const key = `${textOf(port.protocol)}/${textOf(port.hostIP)}/${port.hostPort}`
    if (seen.has(key)) return [duplicate(`${at}[${i}].ports[${j}].hostPort`, key)]
    seen.add(key)
    return []
  }))
}

/** A container's own restart policy and the exit codes that override it. */
function checkRestartRules(container: Container, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (container.restartPolicy !== undefined) errors.push(...checkOneOf(child(at, 'restartPolicy'), container.restartPolicy, ['Always', 'Never', 'OnFailure']))
  const rules = container.restartPolicyRules ?? []
  const field = child(at, 'restartPolicyRules')
  if (rules.length > 0 && container.restartPolicy === undefined) errors.push(required(child(at, 'restartPolicy'), 'must specify restartPolicy when restart rules are used'))
  if (rules.length > 20) errors.push(tooMany(field, rules.length, 20))
  rules.forEach((rule, i) => {
    const ruleField = `${field}[${i}]`
    errors.push(...checkRequiredOneOf(child(ruleField, 'action'), rule.action, ['Restart', 'RestartAllContainers']))
    if (!rule.exitCodes) {
      errors.push(required(child(ruleField, 'exitCodes'), 'must be specified'))
      return
    }
    errors.push(...checkRequiredOneOf(`${ruleField}.exitCodes.operator`, rule.exitCodes.operator, ['In', 'NotIn']))
    const values = rule.exitCodes.values ?? []
    if (values.length === 0) errors.push(required(`${ruleField}.exitCodes.values`, 'must specify at least one value'))
    if (values.length > 255) errors.push(tooMany(`${ruleField}.exitCodes.values`, values.length, 255))
  })
  return errors
}

/** Regular containers: at least one, each name once, no host port twice. */
export function checkContainers(spec: PodSpec, at: string, context: PodContext): FieldError[] {
  const containers = spec.containers ?? []
  if (containers.length === 0) return [required(at)]
  const names = new Set<string>()
  const errors = containers.flatMap((container, i) => {
    const field = `${at}[${i}]`
    const name = textOf(container.name)
    const own = checkCommon(container, field, context)
    if (names.has(name)) own.push(duplicate(child(field, 'name'), name))
    names.add(name)
    return [
      ...own,
      ...checkLifecycle(container.lifecycle, child(field, 'lifecycle'), context.gracePeriodSeconds, spec.os?.name),
      ...checkProbes(container, field, context.gracePeriodSeconds),
      ...checkRestartRules(container, field),
    ]
  })
  return [...errors, ...checkHostPortConflicts(containers, at)]
}

const notForInit = 'may not be set for init containers without restartPolicy=Always'

/** Init containers; those that restart always are sidecars and may have hooks and probes. */
export function checkInitContainers(spec: PodSpec, at: string, context: PodContext): FieldError[] {
  const names = new Set((spec.containers ?? []).map((container) => textOf(container.name)))
  return (spec.initContainers ?? []).flatMap((container, i) => {
    const field = `${at}[${i}]`
    const name = textOf(container.name)
    const errors = [...checkCommon(container, field, context), ...checkRestartRules(container, field)]
    if (names.has(name)) errors.push(duplicate(child(field, 'name'), name))
    else if (name !== '') names.add(name)
    errors.push(...checkHostPortConflicts([container], at))
    if (isSidecar(container)) {
      return [...errors, ...checkLifecycle(container.lifecycle, child(field, 'lifecycle'), context.gracePeriodSeconds, spec.os?.name), ...checkProbes(container, field, context.gracePeriodSeconds)]
    }
    for (const hook of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) if (container[hook] !== undefined) errors.push(forbidden(child(field, hook), notForInit))
    if (container.resizePolicy?.length) errors.push(invalid(child(field, 'resizePolicy'), container.resizePolicy, 'must not be set for init containers'))
    return errors
  })
}

const notForEphemeral = ['ports', 'resources', 'resizePolicy', 'restartPolicy', 'restartPolicyRules', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const

/** Ephemeral containers: for looking, not for serving. */
export function checkEphemeralContainers(spec: PodSpec, at: string, context: PodContext): FieldError[] {
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => textOf(container.name)))
  const names = new Set(others)
  return (spec.ephemeralContainers ?? []).flatMap((container: EphemeralContainer, i) => {
    const field = `${at}[${i}]`
    const name = textOf(container.name)
    const errors = [...checkCommon(container, field, context), ...checkImagePadding(container, field)]
    if (names.has(name)) errors.push(duplicate(child(field, 'name'), name))
    names.add(name)
    const target = textOf(container.targetContainerName)
    if (target !== '' && !others.has(target)) errors.push(notFound(child(field, 'targetContainerName'), target))
    for (const part of notForEphemeral) if (!sameValue(container[part], undefined)) errors.push(forbidden(child(field, part), 'cannot be set for an Ephemeral Container'))
    container.volumeMounts?.forEach((mount, j) => {
      for (const part of ['subPath', 'subPathExpr'] as const) if (textOf(mount[part]) !== '') errors.push(forbidden(`${field}.volumeMounts[${j}].${part}`, 'cannot be set for an Ephemeral Container'))
    })
    return errors
  })
}

/** Pods' images have no blanks around them; templates of old may. */
export function checkImagePadding(container: AnyContainer, at: string): FieldError[] {
  const image = textOf(container.image)
  return image.trim() === image ? [] : [invalid(child(at, 'image'), image, 'must not have leading or trailing whitespace')]
}
