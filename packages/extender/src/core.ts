// The extender without an API server behind it: for benchmarks.
export { extenderConfigOf, profileOf } from './config.ts'
export { Extender } from './core/extender.ts'
export { ExtenderMetrics } from './metrics.ts'
export { BufferPool } from './server/buffers.ts'
export { Gate } from './server/gate.ts'
export { startServer } from './server/server.ts'
export { NodeReader } from './wire/sent-node.ts'
