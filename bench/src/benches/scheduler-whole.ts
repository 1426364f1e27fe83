import type { Bench } from '../main.ts'
import { whole } from '../scheduler/whole.ts'

/** The whole process against an API server, kube-scheduler on the same server and objects. `BERTH_WORKLOADS` names some of the workloads. */
export const schedulerWhole: Bench = {
  summary: 'the process against Berth\'s API server (peer: kube-scheduler on the same server and objects)',
  run: (options) => whole({ ...options, only: process.env['BERTH_WORKLOADS'] }),
}
