// The decision engine alone, without a process around it: for benchmarks and for explanations.
export { Cache } from './cache/cache.ts'
export { decide } from './cycle/decide.ts'
export { podInfoOf } from './framework/pod-info.ts'
export { makeProfile } from './framework/profile.ts'
