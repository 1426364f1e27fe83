/** Milliseconds as metav1.Time writes them: whole seconds, UTC. */
export const toTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** Milliseconds of a metav1.Time; 0 where there is none. */
export function fromTime(text: string | undefined): number {
  const ms = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(ms) ? 0 : ms
}
