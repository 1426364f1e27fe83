import type { Toleration } from '@berth/api/types/core/v1'
import type { AdmissionPlugin } from '../interfaces.ts'
import { podOf } from './pods.ts'

const seconds = 300
const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

/** A pod that says nothing of a node that fails stays on it for five minutes. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
  admit(attributes) {
    const pod = podOf(attributes)
    if (!pod?.spec) return
    const given = pod.spec.tolerations ?? []
    const tolerates = (key: string): boolean => given.some((t) => (!t.key || t.key === key) && (!t.effect || t.effect === 'NoExecute'))
    const missing: Toleration[] = taints.filter((key) => !tolerates(key)).map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds }))
    if (missing.length > 0) pod.spec.tolerations = [...given, ...missing]
  },
}
