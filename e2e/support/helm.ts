import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { inject } from 'vitest'
import { run, type Ended } from './kubectl.ts'
import { tool } from './tools.ts'

const root = path.resolve(import.meta.dirname, '../..')

/** The chart's folder. */
export const chart = path.join(root, 'charts/berth')

export const presets = ['beside', 'replace', 'extender-kind', 'extender-kubeadm', 'extender-k3s'] as const

/** The flags that take a preset. */
export function preset(name: (typeof presets)[number]): string[] {
  return ['-f', path.join(chart, 'values', `${name}.yaml`)]
}

const program = tool('helm')

/** Whether there is a helm that runs. */
export const hasHelm = program !== undefined && spawnSync(program, ['version'], { stdio: 'ignore' }).status === 0

/** What Helm 3 calls --atomic: what a release that fails leaves is taken back. */
export const atomic = program !== undefined && String(spawnSync(program, ['version', '--short'], { encoding: 'utf8' }).stdout).startsWith('v3.') ? '--atomic' : '--rollback-on-failure'

/** Runs helm against the cluster of this run; gives its end, good or bad. A helm that knows no version of Kubernetes is told ours. */
export function tryHelm(args: readonly string[]): Promise<Ended> {
  return run([program ?? 'helm', ...args], { env: { KUBECONFIG: inject('kubeconfig') }, timeoutMs: 240_000 })
}

/** Runs helm and gives what it printed; fails the test, with what helm said, where it fails. */
export async function helm(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tryHelm(args)
  if (code !== 0) throw new Error(`helm ${args.join(' ')}: exit code ${code}\n${stderr}${stdout}`)
  return stdout
}

/** `helm template` of the chart, as for a cluster of today. */
export function template(args: readonly string[]): Promise<Ended> {
  return tryHelm(['template', 'berth', chart, '--kube-version', '1.36.0', '--namespace', 'berth-system', ...args])
}
