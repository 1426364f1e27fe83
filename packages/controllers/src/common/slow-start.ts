/**
 * Calls `act` `count` times in batches of 1, 2, 4, ... and stops after the first batch with an error, as upstream's slowStartBatch: where the
 * first pod is refused (quota), the other 499 are not tried. Gives the successes and the first error.
 */
export async function slowStartBatch(count: number, act: () => Promise<void>): Promise<{ successes: number; error?: unknown }> {
  let successes = 0
  for (let size = Math.min(1, count), left = count; size > 0; size = Math.min(2 * size, left)) {
    const results = await Promise.allSettled(Array.from({ length: size }, act))
    successes += results.filter((result) => result.status === 'fulfilled').length
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) return { successes, error: failed.reason }
    left -= size
  }
  return { successes }
}
