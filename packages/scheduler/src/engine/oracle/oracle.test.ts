// Holds the engine to the plain path: random clusters, pods and events. BERTH_ORACLE_CASES=100000 for a long run, BERTH_ORACLE_SEED for one case.
import { expect, test } from 'vitest'
import { oracleProfiles } from './profiles.ts'
import { randomCase } from './random-case.ts'
import { runCase, shrink } from './run-case.ts'

const one = process.env.BERTH_ORACLE_SEED
const cases = one === undefined ? Number(process.env.BERTH_ORACLE_CASES ?? 2000) : 1
/** Each run takes other cases; a failure says which one it was. */
const firstSeed = one === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(one)

test(`the engine decides as the plain path does, whatever happens: ${cases} random cases from seed ${firstSeed}`, { timeout: 3_600_000 }, () => {
  const profiles = oracleProfiles()
  for (let i = 0; i < cases; i++) {
    const given = randomCase(firstSeed + i, profiles.length)
    let wrong: string | undefined
    try {
      wrong = runCase(given, profiles)
    } catch (error) {
      wrong = error instanceof Error ? error.stack : String(error)
    }
    if (wrong === undefined) continue
    const small = shrink(given, profiles)
    expect.fail(`seed ${given.seed}, profile ${given.profile}: ${wrong}\nshrunk to ${small.steps.length} steps: ${small.wrong}\n${small.steps.map((step) => JSON.stringify(step)).join('\n')}`)
  }
})
