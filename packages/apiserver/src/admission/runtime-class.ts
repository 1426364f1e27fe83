import type { AdmissionPlugin } from '../interfaces.ts'
import { podOf, refuse } from './pods.ts'

/** RuntimeClasses are not served yet, so a pod that asks for one asks for one that is not there. */
export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  handles: (operation) => operation === 'CREATE',
  admit(attributes) {
    const name = podOf(attributes)?.spec?.runtimeClassName
    if (name) throw refuse(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
  },
  validate(attributes) {
    if (podOf(attributes)?.spec?.overhead) throw refuse(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
  },
}
