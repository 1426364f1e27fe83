export { command } from './command.ts'
export { createCriMetrics, type CriMetrics } from './metrics.ts'
export { type CriDockerOptions, startCriDocker } from './start-cri-docker.ts'
