// Admission: every mutating plugin in order, then every validating one.
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '../interfaces.ts'

/** Both halves of admission for one request. */
export interface AdmissionChain {
  mutate(attributes: AdmissionAttributes): Promise<void>
  validate(attributes: AdmissionAttributes): Promise<void>
  handles(operation: Operation): boolean
}

/** Runs the plugins in the order given. */
export function admissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  return {
    async mutate(attributes) {
      for (const plugin of plugins) if (plugin.admit && plugin.handles(attributes.operation)) await plugin.admit(attributes)
    },
    async validate(attributes) {
      for (const plugin of plugins) if (plugin.validate && plugin.handles(attributes.operation)) await plugin.validate(attributes)
    },
    handles: (operation) => plugins.some((plugin) => plugin.handles(operation)),
  }
}

/** For writes from within the server. */
export const noAdmission: AdmissionChain = admissionChain([])
