// Admission: every mutating plugin in order, twice where one asks for that, then every validating one.
import type { AdmissionAttributes, AdmissionPlugin, AdmissionRounds, Operation } from '../interfaces.ts'

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
      const round = async (rounds: AdmissionRounds): Promise<void> => {
        attributes.rounds = rounds
        for (const plugin of plugins) if (plugin.admit && plugin.handles(attributes.operation)) await plugin.admit(attributes)
      }
      const memory = new Map<string, unknown>()
      let wanted = false
      await round({ isSecond: false, again() { wanted = true }, memory })
      if (wanted) await round({ isSecond: true, again() {}, memory })
    },
    async validate(attributes) {
      for (const plugin of plugins) if (plugin.validate && plugin.handles(attributes.operation)) await plugin.validate(attributes)
    },
    handles: (operation) => plugins.some((plugin) => plugin.handles(operation)),
  }
}

/** For writes from within the server. */
export const noAdmission: AdmissionChain = admissionChain([])
