export { command } from './command.ts'
export { type CriDockerOptions, startCriDocker } from './start-cri-docker.ts'
