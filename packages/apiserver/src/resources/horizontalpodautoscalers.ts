// autoscaling/v2 is stored; v1 is a view of it.
import { applyDefaults, autoscaling, autoscalingV2, horizontalPodAutoscalerToV1, horizontalPodAutoscalerToV2 } from '@berth/api'
import type { HorizontalPodAutoscaler as AutoscalerV1 } from '@berth/api/types/autoscaling/v1'
import type { HorizontalPodAutoscaler } from '@berth/api/types/autoscaling/v2'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { cloneValue } from '../registry/values.ts'
import { keepStatus, statusReset, statusSubresource } from './common.ts'

export const horizontalpodautoscalers: ResourceDefinition = {
  resource: autoscalingV2.horizontalpodautoscalers,
  storagePrefix: 'horizontalpodautoscalers',
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
  },
  prepareForUpdate: keepStatus,
  subresources: { status: statusSubresource() },
}

export const horizontalpodautoscalersV1: ResourceDefinition = {
  ...horizontalpodautoscalers,
  resource: autoscaling.horizontalpodautoscalers,
  view: {
    of: autoscalingV2.horizontalpodautoscalers,
    toStored(object) {
      const stored = horizontalPodAutoscalerToV2(cloneValue(object) as unknown as AutoscalerV1) as unknown as ApiObject
      applyDefaults({ group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' }, stored)
      return stored
    },
    fromStored: (object) => horizontalPodAutoscalerToV1(object as unknown as HorizontalPodAutoscaler) as unknown as ApiObject,
  },
}
