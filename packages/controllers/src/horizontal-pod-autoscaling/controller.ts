import { autoscalingV2, core } from '@berth/api'
import type { HorizontalPodAutoscaler } from '@berth/api/types/autoscaling/v2'
import { keyOf } from '@berth/kube'
import { KindFinder } from '../common/kind-finder.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'
import { createMetricsClient } from './metrics-client.ts'
import { reconcile, type Autoscaling } from './reconcile.ts'
import { TargetSelectors } from './selected-by.ts'

/** Keeps as many replicas as the metrics of each HorizontalPodAutoscaler ask for, looking once in a sync period. */
export const horizontalPodAutoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler-controller',
  async run(context) {
    const { client, clock, settings } = context
    const period = settings.horizontalPodAutoscalerSyncPeriod
    const autoscalers = context.informers.for(autoscalingV2.horizontalpodautoscalers)
    const pods = context.informers.for(core.pods, { indexers: { namespace: (pod) => [pod.metadata.namespace ?? ''] } })
    const kinds = new KindFinder(client, clock)
    const edge: Autoscaling = {
      client, kinds, metrics: createMetricsClient(client, clock, kinds), recorder: context.recorder('horizontal-pod-autoscaler'), selectors: new TargetSelectors(), histories: new Map(),
      podsOf: (namespace) => pods.store.byIndex('namespace', namespace), now: () => clock.now(),
      settings: {
        tolerance: settings.horizontalPodAutoscalerTolerance, downscaleStabilizationMs: settings.horizontalPodAutoscalerDownscaleStabilization,
        cpuInitializationPeriodMs: settings.horizontalPodAutoscalerCpuInitializationPeriod, initialReadinessDelayMs: settings.horizontalPodAutoscalerInitialReadinessDelay,
        configurableTolerance: settings.features.enabled('HPAConfigurableTolerance'), scaleToZero: settings.features.enabled('HPAScaleToZero'),
      },
    }
    const forget = (key: string): void => {
      edge.selectors.delete(key)
      edge.histories.delete(key)
    }
    const frame = keyedController({
      name: 'horizontalpodautoscaler', workers: settings.concurrentHorizontalPodAutoscalerSyncs, context, informers: [autoscalers, pods],
      async sync(key, queue) {
        const autoscaler = autoscalers.store.get(key)
        if (autoscaler === undefined) return
        try {
          await reconcile(edge, autoscaler)
        } catch (error) {
          context.logger.error(error, 'Failed to reconcile', { horizontalPodAutoscaler: key })
        }
        if (autoscalers.store.get(key) === undefined) return forget(key)
        // Success or not, the next look is a period away: metrics are no newer before that.
        queue.addAfter(key, period)
      },
    })
    const later = (autoscaler: HorizontalPodAutoscaler): void => frame.queue.addAfter(keyOf(autoscaler), period)
    const off = autoscalers.on({
      added: (autoscaler) => frame.queue.add(keyOf(autoscaler)),
      updated: (_old, autoscaler) => later(autoscaler),
      deleted: (autoscaler) => forget(keyOf(autoscaler)),
    })
    await frame.run()
    off()
  },
}
