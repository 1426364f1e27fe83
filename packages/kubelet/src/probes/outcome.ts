/** What one run of a probe said. An error thrown instead means that the probe itself could not be made; such a run does not count. */
export interface Outcome {
  result: 'success' | 'failure' | 'warning'
  /** For the event. */
  output: string
}

/** Longer output is cut, as upstream does (10 KiB). */
const maxOutput = 10 * 1024

export const success = (output = ''): Outcome => ({ result: 'success', output: output.slice(0, maxOutput) })
export const failure = (output: string): Outcome => ({ result: 'failure', output: output.slice(0, maxOutput) })
