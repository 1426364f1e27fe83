import { readFileSync } from 'node:fs'

/** One spec's end. */
export interface SpecResult {
  readonly name: string
  readonly state: string
  /** Why it failed or was skipped. */
  readonly message: string
}

interface GinkgoSpec {
  LeafNodeType: string
  LeafNodeText: string
  ContainerHierarchyTexts?: string[] | null
  State: string
  Failure?: { Message?: string }
}

/** The specs of a ginkgo JSON report. */
export function readReport(path: string): SpecResult[] {
  const suites = JSON.parse(readFileSync(path, 'utf8')) as { SpecReports?: GinkgoSpec[] }[]
  return suites
    .flatMap(({ SpecReports }) => SpecReports ?? [])
    .filter(({ LeafNodeType }) => LeafNodeType === 'It')
    .map(({ ContainerHierarchyTexts, LeafNodeText, State, Failure }) => ({ name: [...(ContainerHierarchyTexts ?? []), LeafNodeText].join(' '), state: State, message: (Failure?.Message ?? '').split('\n')[0] ?? '' }))
}

/** The sums, and every spec that did not pass with its reason. */
export function renderReport(results: readonly SpecResult[]): string {
  const of = (state: string): number => results.filter((result) => result.state === state).length
  const others = results.filter(({ state }) => state !== 'passed').map(({ name, state, message }) => `${state.padEnd(8)} ${name}${message === '' ? '' : `\n           ${message.slice(0, 300)}`}`)
  return [...others.toSorted(), `\n${results.length} specs: ${of('passed')} passed, ${results.length - of('passed') - of('skipped')} failed, ${of('skipped')} skipped`].join('\n')
}
