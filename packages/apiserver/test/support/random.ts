// Chance that can be had again.

/** The seed of a run: BERTH_FAULT_SEED, else another one each time. It is printed, so that a failure can be seen again. */
export function faultSeed(): number {
  const seed = Number(process.env['BERTH_FAULT_SEED'] ?? Date.now() % 2 ** 31)
  console.log(`BERTH_FAULT_SEED=${seed}`)
  return seed
}

/** How often faults strike: BERTH_FAULT_ROUNDS, else few enough for every day. */
export function faultRounds(usual: number): number {
  return Number(process.env['BERTH_FAULT_ROUNDS'] ?? usual)
}

/** Numbers in [0, 1), the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
