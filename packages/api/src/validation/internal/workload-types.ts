/** Internal types of workloads and their policies, in the notation of types.ts. */
export const workloadTypes: Readonly<Record<string, string>> = {
  StatefulSetUpdateStrategy: 'Type RollingUpdate:*RollingUpdateStatefulSetStrategy',
  RollingUpdateStatefulSetStrategy: 'Partition:int MaxUnavailable:*int',
  DaemonSetUpdateStrategy: 'Type RollingUpdate:*RollingUpdateDaemonSet',
  RollingUpdateDaemonSet: 'MaxUnavailable:int MaxSurge:int',
  PodFailurePolicy: 'Rules:[]PodFailurePolicyRule',
  PodFailurePolicyRule: 'Action OnExitCodes:*PodFailurePolicyOnExitCodesRequirement OnPodConditions:[]PodFailurePolicyOnPodConditionsPattern',
  PodFailurePolicyOnExitCodesRequirement: 'ContainerName:*string Operator Values:[]int',
  PodFailurePolicyOnPodConditionsPattern: 'Type Status',
  SuccessPolicy: 'Rules:[]SuccessPolicyRule',
  SuccessPolicyRule: 'SucceededIndexes:*string SucceededCount:*int',
  UncountedTerminatedPods: 'Succeeded:[]string Failed:[]string',
  HorizontalPodAutoscalerBehavior: 'ScaleUp:*HPAScalingRules ScaleDown:*HPAScalingRules',
  HPAScalingRules: 'StabilizationWindowSeconds:*int SelectPolicy:*string Policies:[]HPAScalingPolicy Tolerance:*quantity',
  HPAScalingPolicy: 'Type Value:int PeriodSeconds:int',
  PodDisruptionBudgetSpec: 'MinAvailable:*int Selector:any MaxUnavailable:*int UnhealthyPodEvictionPolicy:*string',
}
