export { localPathProvisioner } from './plan.ts'
export { startLocalPathProvisioner } from './provisioner.ts'
