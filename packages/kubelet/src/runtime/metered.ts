import type { CriClient } from '@berth/cri'
import type { KubeletMetrics } from '../metrics.ts'

/** `runPodSandbox` → `run_podsandbox`: how upstream names a runtime operation in its metrics. */
export function operationType(method: string): string {
  return method.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace('pod_sandbox', 'podsandbox')
}

/** The same client, with every call counted and timed. Streams are counted when they are opened. */
export function meteredClient(client: CriClient, metrics: KubeletMetrics): CriClient {
  const wrapped = new Map<string | symbol, unknown>()
  return new Proxy(client, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function' || typeof name !== 'string' || name === 'close') return value
      const known = wrapped.get(name)
      if (known) return known
      const operation = { operation_type: operationType(name) }
      const call = (...args: unknown[]): unknown => {
        metrics.runtimeOperations.inc(operation)
        const end = metrics.runtimeSeconds.startTimer(operation)
        const result: unknown = Reflect.apply(value, target, args)
        if (!(result instanceof Promise)) return result
        return result.then((answer: unknown) => {
          end()
          return answer
        }, (error: unknown) => {
          end()
          metrics.runtimeErrors.inc(operation)
          throw error
        })
      }
      wrapped.set(name, call)
      return call
    },
  })
}
