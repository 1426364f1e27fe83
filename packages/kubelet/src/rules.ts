// What a pod's status follows from, without a runtime: for nodes that only pretend to run pods.
export { conditionOf, containersReadyCondition, initializedCondition, readyCondition } from './pods/conditions.ts'
export { isSidecar, restartsAfterExit } from './pods/containers.ts'
export { podPhase } from './pods/phase.ts'
export { fromTime, toTime } from './pods/time.ts'
