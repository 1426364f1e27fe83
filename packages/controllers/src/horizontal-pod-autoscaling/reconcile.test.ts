import type { Scale } from '@berth/api/types/autoscaling/v1'
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus, MetricSpec } from '@berth/api/types/autoscaling/v2'
import { createClient, fakeClock, parseLabelSelector, type EventRecorder, type Transport } from '@berth/kube'
import { describe, expect, test } from 'vitest'
import { KindFinder } from '../common/kind-finder.ts'
import type { MetricsClient } from './metrics-client.ts'
import { reconcile, type Autoscaling } from './reconcile.ts'
import { TargetSelectors } from './selected-by.ts'

const now = Date.parse('2026-01-01T12:00:00Z')

interface Given {
  spec?: Partial<HorizontalPodAutoscalerSpec>
  status?: Partial<HorizontalPodAutoscalerStatus>
  replicas?: number
  selector?: string
  /** Values of external metrics by name; what is not here fails. */
  external?: Record<string, number>
  scaleToZero?: boolean
  /** The server's answers to writes of the scale, one after the other; 200 when they are used up. */
  writes?: number[]
}

const external = (name: string, value: string): MetricSpec => ({ type: 'External', external: { metric: { name }, target: { type: 'AverageValue', averageValue: value } } })

/** Looks once at an autoscaler of the Deployment `web`; gives what was written and said. */
async function look(given: Given) {
  const { replicas = 2, selector = 'app=web' } = given
  const events: string[] = []
  const scales: number[] = []
  let status: HorizontalPodAutoscalerStatus | undefined
  const writes = [...given.writes ?? []]
  const body = (code: number, object: unknown) => ({ status: code, headers: {}, body: (async function* () { yield Buffer.from(JSON.stringify(object)) })() })
  const scale: Scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web', namespace: 'd' }, spec: { replicas }, status: { replicas, selector } }
  const transport: Transport = {
    async request({ method, path, body: sent }) {
      if (path === '/apis/apps') return body(200, { versions: [{ version: 'v1' }], preferredVersion: { version: 'v1' } })
      if (path === '/apis/apps/v1') return body(200, { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true }] })
      if (path.startsWith('/apis/autoscaling/v2/')) {
        status = (JSON.parse(String(sent)) as HorizontalPodAutoscaler).status
        return body(200, {})
      }
      if (method === 'GET') return body(200, scale)
      const code = writes.shift() ?? 200
      if (code === 200) scales.push((JSON.parse(String(sent)) as Scale).spec?.replicas ?? 0)
      return body(code, code === 200 ? scale : { kind: 'Status', status: 'Failure', code, reason: code === 409 ? 'Conflict' : 'Forbidden', message: `refused with ${code}` })
    },
    async close() {},
  }
  const recorder: EventRecorder = { event: (_subject, type, reason, message) => { events.push(`${type} ${reason} ${message}`) }, async flush() {} }
  const fail = async (): Promise<never> => { throw new Error('not asked for') }
  const metrics: MetricsClient = {
    ofResource: fail, ofPods: fail, ofObject: fail,
    async external(_namespace, metric) {
      const value = given.external?.[metric]
      if (value === undefined) throw new Error('no metrics returned from external metrics API')
      return [BigInt(value * 1000)]
    },
  }
  const clock = fakeClock(now)
  const client = createClient(transport)
  const edge: Autoscaling = {
    client, kinds: new KindFinder(client, clock), metrics, recorder, selectors: new TargetSelectors(), histories: new Map([['d/h', { recommendations: [], ups: [], downs: [] }]]), podsOf: () => [], now: () => now,
    settings: { tolerance: 0.1, downscaleStabilizationMs: 0, cpuInitializationPeriodMs: 0, initialReadinessDelayMs: 0, configurableTolerance: true, scaleToZero: given.scaleToZero ?? false },
  }
  const autoscaler: HorizontalPodAutoscaler = {
    metadata: { name: 'h', namespace: 'd' }, spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, minReplicas: 1, maxReplicas: 10, metrics: [external('depth', '10')], ...given.spec },
    status: { desiredReplicas: 0, ...given.status },
  }
  const failure = await reconcile(edge, autoscaler).then(() => undefined, (error: unknown) => (error as Error).message)
  const conditions = Object.fromEntries((status?.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`]))
  return { scales, events, conditions, status, failure }
}

describe('several metrics', () => {
  const metrics = [external('depth', '10'), external('lag', '1')]
  test('the one that asks for most decides', async () => {
    const { scales, events, conditions } = await look({ spec: { metrics }, external: { depth: 30, lag: 4 } })
    expect([scales, conditions]).toEqual([[4], { AbleToScale: 'True SucceededRescale', ScalingActive: 'True ValidMetricFound', ScalingLimited: 'False DesiredWithinRange' }])
    expect(events).toEqual(['Normal SuccessfulRescale New size: 4; reason: external metric lag(nil) above target'])
  })

  test('one that gives nothing does not keep the others from growing, and is told of', async () => {
    const { scales, status, failure, events } = await look({ spec: { metrics }, external: { depth: 30 } })
    expect([scales, status?.currentMetrics?.map(({ type }) => type)]).toEqual([[3], ['External', '']])
    expect(events[0]).toBe('Warning FailedGetExternalMetric unable to get external metric d/lag/nil: no metrics returned from external metrics API')
    expect(failure).toMatch(/^invalid metrics \(1 invalid out of 2\), first error is: failed to get lag external metric value: failed to get lag external metric: unable to get external metric/)
  })

  test('one that gives nothing keeps the others from shrinking', async () => {
    const { scales, conditions, failure } = await look({ spec: { metrics }, replicas: 5, external: { depth: 10 } })
    expect([scales, conditions]).toEqual([[], { AbleToScale: 'True SucceededGetScale', ScalingActive: 'False FailedGetExternalMetric' }])
    expect(failure).toContain('failed to compute desired number of replicas based on listed metrics for Deployment/d/web: invalid metrics (1 invalid out of 2)')
  })
})

describe('the scale', () => {
  test('is written again where another write came between', async () => {
    expect((await look({ external: { depth: 50 }, writes: [409, 409] })).scales).toEqual([4])
  })

  test('that cannot be written is told of', async () => {
    const { conditions, events, failure } = await look({ external: { depth: 40 }, writes: [403] })
    expect([conditions['AbleToScale'], events, failure]).toEqual(['False FailedUpdateScale', ['Warning FailedRescale New size: 4; reason: external metric depth(nil) above target; error: refused with 403'], 'failed to rescale Deployment/d/web: refused with 403'])
  })

  test.each([
    ['without a selector', '', 'False InvalidSelector', 'Warning SelectorRequired selector is required'],
    ['with a selector that is none', 'a=b=c', 'False InvalidSelector', 'Warning InvalidSelector couldn\'t convert selector into a corresponding internal selector object'],
  ])('%s scales nothing', async (_name, selector, condition, event) => {
    const { scales, conditions, events } = await look({ selector, external: { depth: 90 } })
    expect([scales, conditions['ScalingActive']]).toEqual([[], condition])
    expect(events[0]?.startsWith(event)).toBe(true)
  })
})

describe('zero replicas', () => {
  const zero = { spec: { minReplicas: 0 }, scaleToZero: true }
  const scaledToZero = [{ type: 'ScaledToZero', status: 'True' as const }]
  test.each<[string, Given, number[], Record<string, string>]>([
    ['nobody needs it: it goes to zero and says so', { ...zero, external: { depth: 0 } }, [0], { ScaledToZero: 'True ScaledToZero' }],
    ['it comes back with work', { ...zero, replicas: 0, status: { conditions: scaledToZero }, external: { depth: 25 } }, [3], { ScaledToZero: 'False NotScaledToZero' }],
    ['it stays at zero without work', { ...zero, replicas: 0, status: { conditions: scaledToZero }, external: { depth: 0 } }, [], { ScaledToZero: 'True undefined' }],
    ['somebody else took it to zero: it is left alone', { ...zero, replicas: 0, external: { depth: 25 } }, [], { ScalingActive: 'False ScalingDisabled' }],
    ['the least has grown since: it comes back', { ...zero, spec: { minReplicas: 2 }, replicas: 0, status: { conditions: scaledToZero }, external: { depth: 5 } }, [2], { ScaledToZero: 'False NotScaledToZero' }],
    ['the gate is off: it is left alone, and says nothing of it', { ...zero, scaleToZero: false, replicas: 0, status: { conditions: scaledToZero }, external: { depth: 25 } }, [], { ScalingActive: 'False ScalingDisabled' }],
  ])('%s', async (_name, given, scales, conditions) => {
    const found = await look(given)
    expect(found.scales).toEqual(scales)
    expect(found.conditions).toMatchObject(conditions)
    if (given.scaleToZero !== true) expect(found.conditions).not.toHaveProperty('ScaledToZero')
  })
})

test('what says the same is not written again', async () => {
  const first = await look({ replicas: 3, external: { depth: 30 } })
  expect(first.status).toMatchObject({ currentReplicas: 3, desiredReplicas: 3 })
  const second = await look({ replicas: 3, external: { depth: 30 }, ...(first.status === undefined ? {} : { status: first.status }) })
  expect(second.status).toBeUndefined()
})

test('autoscalers whose targets share pods are found', () => {
  const selectors = new TargetSelectors()
  for (const [key, text] of [['d/a', 'app=web'], ['d/b', 'tier=front'], ['e/c', 'app=web'], ['d/z', 'app=other']] as const) selectors.set(key, parseLabelSelector(text))
  const pod = { metadata: { name: 'p', namespace: 'd', labels: { app: 'web', tier: 'front' } }, spec: { containers: [] } }
  expect(selectors.selecting('d', [pod])).toEqual(['d/a', 'd/b'])
  selectors.delete('d/b')
  expect([selectors.selecting('d', [pod]), selectors.selecting('d', [])]).toEqual([['d/a'], []])
})
