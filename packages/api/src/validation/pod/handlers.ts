import type { Lifecycle, LifecycleHandler, Probe, ProbeHandler } from '../../types/core/v1.ts'
import { checkNonNegative, checkOneOf, checkPort, checkRequired, child, textOf } from '../common.ts'
import { forbidden, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { httpHeaderName, portName } from '../formats.ts'

type Handler = ProbeHandler & LifecycleHandler

/** A port by number or by name; absent is the number 0. */
export function checkPortOrName(field: string, port: number | string | undefined): FieldError[] {
  return typeof port === 'string' ? portName(port).map((problem) => invalid(field, port, problem)) : checkPort(field, port)
}

const handlerChecks: readonly (readonly [keyof Handler, (handler: Handler, at: string, gracePeriod: number | undefined) => FieldError[]])[] = [
  ['exec', ({ exec }, at) => (exec?.command?.length ? [] : [required(child(at, 'command'))])],
  ['httpGet', checkHttpGet],
  ['tcpSocket', ({ tcpSocket }, at) => checkPortOrName(child(at, 'port'), tcpSocket?.port)],
  ['grpc', ({ grpc }, at) => checkPort(child(at, 'port'), grpc?.port)],
  ['sleep', ({ sleep }, at, gracePeriod) => {
    const seconds = sleep?.seconds ?? 0
    if (gracePeriod === undefined || (seconds >= 0 && seconds <= gracePeriod)) return []
    return [invalid(at, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`)]
  }],
]

function checkHttpGet({ httpGet }: Handler, at: string): FieldError[] {
  return [
    ...checkRequired(child(at, 'path'), httpGet?.path),
    ...checkPortOrName(child(at, 'port'), httpGet?.port),
    ...checkOneOf(child(at, 'scheme'), textOf(httpGet?.scheme), ['HTTP', 'HTTPS']),
    ...(httpGet?.httpHeaders ?? []).flatMap(({ name }) => httpHeaderName(textOf(name)).map((problem) => invalid(child(at, 'httpHeaders'), textOf(name), problem))),
  ]
}

/** Exactly one way to probe or to be told. */
function checkHandler(handler: Handler, at: string, gracePeriod: number | undefined): FieldError[] {
  const errors: FieldError[] = []
  let found = 0
  for (const [name, check] of handlerChecks) {
    if (handler[name] === undefined) continue
    if (found > 0) errors.push(forbidden(child(at, name), 'may not specify more than 1 handler type'))
    else errors.push(...check(handler, child(at, name), gracePeriod))
    found++
  }
  return found === 0 ? [...errors, required(at, 'must specify a handler type')] : errors
}

const stopSignals = ['SIGABRT', 'SIGALRM', 'SIGBUS', 'SIGCHLD', 'SIGCLD', 'SIGCONT', 'SIGFPE', 'SIGHUP', 'SIGILL', 'SIGINT', 'SIGIO', 'SIGIOT', 'SIGKILL', 'SIGPIPE', 'SIGPOLL', 'SIGPROF', 'SIGPWR', 'SIGQUIT',
  'SIGSEGV', 'SIGSTKFLT', 'SIGSTOP', 'SIGSYS', 'SIGTERM', 'SIGTRAP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGUSR1', 'SIGUSR2', 'SIGVTALRM', 'SIGWINCH', 'SIGXCPU', 'SIGXFSZ']

/** Hooks after start and before stop. */
export function checkLifecycle(lifecycle: Lifecycle | undefined, at: string, gracePeriod: number | undefined, os: string | undefined): FieldError[] {
  if (!lifecycle) return []
  const errors: FieldError[] = []
  if (lifecycle.postStart) errors.push(...checkHandler(lifecycle.postStart, child(at, 'postStart'), gracePeriod))
  if (lifecycle.preStop) errors.push(...checkHandler(lifecycle.preStop, child(at, 'preStop'), gracePeriod))
  if (lifecycle.stopSignal === undefined) return errors
  const field = child(at, 'stopSignal')
  if (os === undefined || os === '') return [...errors, forbidden(field, 'may not be set for containers with empty `spec.os.name`')]
  if (os === 'windows') return [...errors, ...checkOneOf(field, lifecycle.stopSignal, ['SIGKILL', 'SIGTERM'])]
  const known = stopSignals.includes(lifecycle.stopSignal) || /^SIGRTM(IN|AX)([+-]\d{1,2})?$/.test(lifecycle.stopSignal)
  return known ? errors : [...errors, ...checkOneOf(field, lifecycle.stopSignal, stopSignals)]
}

function checkProbe(probe: Probe, at: string, gracePeriod: number | undefined): FieldError[] {
  const grace = probe.terminationGracePeriodSeconds
  return [
    ...checkHandler(probe, at, gracePeriod),
    ...(['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const).flatMap((name) => checkNonNegative(child(at, name), probe[name])),
    ...(grace !== undefined && grace <= 0 ? [invalid(child(at, 'terminationGracePeriodSeconds'), grace, 'must be greater than 0')] : []),
  ]
}

/** A container's probes; liveness and startup succeed at once, readiness never kills. */
export function checkProbes(container: { livenessProbe?: Probe; readinessProbe?: Probe; startupProbe?: Probe }, at: string, gracePeriod: number | undefined): FieldError[] {
  const errors: FieldError[] = []
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[name]
    const field = child(at, name)
    if (!probe) continue
    errors.push(...checkProbe(probe, field, gracePeriod))
    if (name === 'readinessProbe') {
      const grace = probe.terminationGracePeriodSeconds
      if (grace !== undefined) errors.push(invalid(child(field, 'terminationGracePeriodSeconds'), grace, 'must not be set for readinessProbes'))
    } else if ((probe.successThreshold ?? 0) !== 1) errors.push(invalid(child(field, 'successThreshold'), probe.successThreshold ?? 0, 'must be 1'))
  }
  return errors
}
