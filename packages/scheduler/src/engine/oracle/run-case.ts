import { Cache } from '../../cache/cache.ts'
import { decidePlain } from '../../cycle/decide.ts'
import type { Decision, PlainDecision } from '../../cycle/decision.ts'
import { misfitMessage } from '../../cycle/fit-error.ts'
import { podInfoOf } from '../../framework/pod-info.ts'
import type { Profile } from '../../framework/profile.ts'
import { Engine } from '../engine.ts'
import { Probe } from './profiles.ts'
import type { Case, Step } from './random-case.ts'

function sorted(names: Iterable<string>): string {
  return [...names].toSorted().join(' ')
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (each instanceof Map ? Object.fromEntries([...each].toSorted(([a], [b]) => (a < b ? -1 : 1))) : each instanceof Set ? [...each].toSorted() : each))
}

/** What the engine's answer has that the plain path's has not; undefined where they are alike. */
export function difference(plain: PlainDecision, fast: Decision): string | undefined {
  if (plain.node === undefined || fast.node === undefined) {
    if (plain.node !== undefined) return `no node (${fast.node === undefined ? misfitMessage(fast.misfit) : ''}), where ${plain.node} fits`
    if (fast.node !== undefined) return `${fast.node}, where none fits: ${misfitMessage(plain.misfit)}`
    for (const part of ['verdicts', 'reasons', 'plugins', 'pending', 'preFilter', 'postFilter'] as const) {
      const [expected, got] = [text(plain.misfit[part]), text(fast.misfit[part])]
      if (expected !== got) return `${part} ${got}\n  instead of ${expected}`
    }
    const outcome = ({ preemption }: typeof plain): string => text({ ...preemption, victims: preemption?.victims.map(({ key }) => key) })
    if (misfitMessage(plain.misfit) !== misfitMessage(fast.misfit)) return `message ${misfitMessage(fast.misfit)} instead of ${misfitMessage(plain.misfit)}`
    return outcome(plain) === outcome(fast) ? undefined : `preemption ${outcome(fast)} instead of ${outcome(plain)}`
  }
  if (fast.feasible !== plain.feasible.length) return `${fast.feasible} feasible nodes instead of ${sorted(plain.feasible)}`
  if (!plain.feasible.includes(fast.node)) return `${fast.node}, which is not feasible: ${sorted(plain.feasible)}`
  if (plain.scores.length === 0) return fast.best.length === 0 ? undefined : 'scores, where there is nothing to compare'
  if (fast.best[0]?.node !== fast.node) return `${fast.node}, but ${fast.best[0]?.node} is said to be best`
  const totals = plain.scores.map(({ total }) => total).toSorted((a, b) => b - a).slice(0, fast.best.length)
  if (text(fast.best.map(({ total }) => total)) !== text(totals)) return `best scores ${text(fast.best)} instead of ${text(totals)}`
  for (const each of fast.best) {
    const expected = plain.scores.find(({ node }) => node === each.node)
    const nonzero = (by: Readonly<Record<string, number>>): string => text(Object.entries(by).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    if (!expected || expected.total !== each.total || nonzero(expected.byPlugin) !== nonzero(each.byPlugin)) return `score ${text(each)} instead of ${text(expected)}`
  }
  return new Set(fast.best.map(({ node }) => node)).size === fast.best.length ? undefined : `the same node twice: ${text(fast.best)}`
}

/** Runs a case; gives what is wrong, undefined where the engine answers as the plain path does all along. */
export function runCase({ steps, profile: number, seed }: Case, profiles: readonly Profile[]): string | undefined {
  const cache = new Cache()
  const base = profiles[number]!
  // A probe makes every decision a sweep: most cases are decided without one.
  const probe = seed % 3 === 0 ? new Probe() : undefined
  const profile: Profile = probe ? { ...base, plugins: [...base.plugins, probe.plugin], weights: new Map([...base.weights, ['Probe', 1]]) } : base
  const engine = new Engine(cache, profile)
  const late = new Engine(cache, profile)
  let sequence = 0
  for (const [i, step] of steps.entries()) {
    if (step.type !== 'decide') {
      cache.apply(step)
      continue
    }
    const info = podInfoOf(step.pod)
    const random = (): number => step.random
    // A second engine joins half-way: it has to learn of everything that is there.
    for (const each of i > steps.length / 2 ? [engine, engine, late] : [engine, engine]) {
      if (probe) probe.asked.length = 0
      const plain = decidePlain(info, profile, cache, random)
      const expected = probe ? sorted(probe.asked) : ''
      if (probe) probe.asked.length = 0
      const fast = each.decide(info, random)
      const wrong = difference(plain, fast) ?? (probe && sorted(probe.asked) !== expected ? `scored ${sorted(probe.asked)} instead of ${expected}` : undefined)
      if (wrong !== undefined) return `step ${i}, ${info.key}: ${wrong}`
    }
    const decision = engine.decide(info, random)
    if (step.then === 'assume' && decision.node !== undefined) cache.apply({ type: 'assume', pod: step.pod, node: decision.node, sequence: ++sequence, info })
    else if (step.then === 'nominate') {
      const node = decision.node ?? decision.preemption?.nominatedNode
      if (node) cache.apply({ type: 'nominate', pod: step.pod, node })
    }
  }
  return undefined
}

/** The smallest case found that is still wrong: steps are left out, many at once first. */
export function shrink(given: Case, profiles: readonly Profile[]): { steps: readonly Step[]; wrong: string } {
  const wrongOf = (steps: readonly Step[]): string | undefined => {
    try {
      return runCase({ ...given, steps }, profiles)
    } catch (error) {
      return String(error)
    }
  }
  let { steps } = given
  let wrong = wrongOf(steps) ?? ''
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
    for (let at = 0; at < steps.length;) {
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)]
      const still = wrongOf(fewer)
      if (still === undefined) at += size
      else {
        steps = fewer
        wrong = still
      }
    }
  }
  return { steps, wrong }
}
