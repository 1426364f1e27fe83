/**
 * Gives each wanted endpoint a number from 0 to n-1 so that as few as possible change: who has a number keeps it, the last ones fill the places of those that are gone,
 * new ones come at the end. `before` holds at each number who has it.
 */
export function placeEndpoints(before: readonly string[], wanted: readonly string[]): string[] {
  const missing = new Set(wanted)
  const kept: (string | undefined)[] = before.map((endpoint) => (missing.delete(endpoint) ? endpoint : undefined))
  const fresh = [...missing]
  for (let i = 0; i < kept.length; i++) {
    if (kept[i] !== undefined) continue
    while (kept.length > i && kept.at(-1) === undefined) kept.pop()
    if (i >= kept.length) break
    kept[i] = fresh.shift() ?? kept.pop()
  }
  return [...kept.filter((endpoint) => endpoint !== undefined), ...fresh]
}

/** Gives each wanted endpoint a number that it keeps for as long as it is wanted; new ones get the least free numbers. */
export function numberEndpoints(before: ReadonlyMap<string, number>, wanted: readonly string[]): Map<string, number> {
  const numbers = new Map<string, number>()
  for (const endpoint of wanted) {
    const number = before.get(endpoint)
    if (number !== undefined) numbers.set(endpoint, number)
  }
  const taken = new Set(numbers.values())
  let next = 0
  for (const endpoint of wanted) {
    if (numbers.has(endpoint)) continue
    while (taken.has(next)) next++
    taken.add(next)
    numbers.set(endpoint, next)
  }
  return numbers
}
