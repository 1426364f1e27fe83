import fs from 'node:fs'
import path from 'node:path'
import { findProgram, Program } from '../../program.ts'

const root = path.resolve(import.meta.dirname, '../../../..')
const launcher = path.join(root, 'packages/berth/bin/berth.js')

/** The stock scheduler, where this machine has one. */
export const kubeScheduler = findProgram('kube-scheduler')

/** What the two schedulers are told alike: no limit on requests, no election. */
function configuration(file: string, kubeconfig: string, schedulerName: string): string {
  fs.writeFileSync(file, JSON.stringify({
    apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig, qps: 5000, burst: 5000 }, profiles: [{ schedulerName }],
  }))
  return file
}

export const contenders = ['berth', 'stock'] as const
export type Contender = (typeof contenders)[number]

/** Starts one of them against the API server of the kubeconfig. */
export function startScheduler(contender: Contender, kubeconfig: string, directory: string): Program {
  const config = configuration(path.join(directory, `${contender}.json`), kubeconfig, contender)
  const own = [process.execPath, launcher, 'scheduler', '--config', config, '--secure-port', '0']
  return new Program(contender === 'berth' ? own : [kubeScheduler ?? '', '--config', config, '--secure-port', '0'], path.join(directory, `${contender}.log`))
}

/** Starts Berth's API server on a data directory of its own. */
export function startApiServer(directory: string, port: number): Program {
  const tokens = path.join(directory, 'tokens.csv')
  fs.writeFileSync(tokens, 'bench,bench,bench,"system:masters"\n')
  return new Program([process.execPath, launcher, 'apiserver', '--data-dir', path.join(directory, 'data'), '--bind-address', '127.0.0.1', '--advertise-address', '192.0.2.1', '--secure-port', String(port), '--token-auth-file', tokens], path.join(directory, 'apiserver.log'))
}
