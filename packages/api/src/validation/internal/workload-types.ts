/** Internal types of workloads and their policies, in the notation of types.ts. */
export const workloadTypes: Readonly<Record<string, string>> = {
  StatefulSetUpdateStrategy: 'Type RollingUpdate:*RollingUpdateStatefulSetStrategy',
  RollingUpdateStatefulSetStrategy: 'Partition:int MaxUnavailable:*int',
  PodDisruptionBudgetSpec: 'MinAvailable:*int Selector:any MaxUnavailable:*int UnhealthyPodEvictionPolicy:*string',
}
