// The decision engine alone, without a process around it: for benchmarks and for explanations.
export { Cache } from './cache/cache.ts'
export { Engine } from './engine/index.ts'
export { podInfoOf } from './framework/pod-info.ts'
export { compactPod } from './loop/compact.ts'
export { makeProfile } from './framework/profile.ts'
