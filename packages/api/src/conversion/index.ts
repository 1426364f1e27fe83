export { horizontalPodAutoscalerToV1, horizontalPodAutoscalerToV2 } from './horizontal-pod-autoscaler.ts'
