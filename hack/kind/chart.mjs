#!/usr/bin/env node
// The chart on kind: makes a cluster, loads the image, installs preset "beside" with the extender, runs helm test, schedules a pod,
// uninstalls, and deletes the cluster.
//   node hack/kind/chart.mjs [--image kindest/node:v1.36.0] [--name berth] [--keep]
// Needs kind, helm, kubectl and a Docker that has, or can pull, kind's node image. Where that cannot be had it says so and ends with 3.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { environment, root } from '../lib/workspace.mjs'

const { values } = parseArgs({ options: { image: { type: 'string' }, name: { type: 'string', default: 'berth' }, keep: { type: 'boolean' } } })
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-kind-'))
const kubeconfig = path.join(scratch, 'kubeconfig')
const env = { ...environment(), KUBECONFIG: kubeconfig }
env.PATH = `${env.PATH}:${process.env.KUBEBUILDER_ASSETS ?? '/usr/local/kubebuilder/bin'}`

function run(argv, { capture = false } = {}) {
  console.log(`$ ${argv.join(' ')}`)
  const result = spawnSync(argv[0], argv.slice(1), { cwd: root, env, encoding: 'utf8', stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'] })
  if (result.error) throw result.error
  if (result.status !== 0) throw new Error(`${argv.slice(0, 3).join(' ')} ended with ${result.status ?? result.signal}`)
  return result.stdout ?? ''
}

/** Ends with 3: this machine cannot do it, which says nothing about the chart. */
function cannot(why) {
  console.log(`skipped: ${why}`)
  fs.rmSync(scratch, { recursive: true, force: true })
  process.exit(3)
}

for (const [program, ...args] of [['kind', 'version'], ['helm', 'version'], ['kubectl', 'version', '--client'], ['docker', 'info']]) {
  if (spawnSync(program, args, { env, stdio: 'ignore' }).status !== 0) cannot(`${program} ${args[0]} does not work here`)
}
if (values.image !== undefined && spawnSync('docker', ['image', 'inspect', values.image], { env, stdio: 'ignore' }).status !== 0
  && spawnSync('docker', ['pull', values.image], { env, stdio: 'inherit' }).status !== 0) cannot(`the node image ${values.image} is neither here nor can it be pulled`)

const reference = 'berth.local/berth:kind'
const archive = path.join(scratch, 'berth.tar')
let made = false
let failed = false
try {
  if (spawnSync('kind', ['create', 'cluster', '--name', values.name, '--kubeconfig', kubeconfig, '--wait', '120s', ...(values.image ? ['--image', values.image] : [])], { env, stdio: 'inherit' }).status !== 0) cannot('kind made no cluster (its node image may be out of reach)')
  made = true
  run(['node', 'hack/images/build.ts', '--tag', reference, '--output', archive])
  run(['kind', 'load', 'image-archive', archive, '--name', values.name])
  run(['helm', 'install', 'berth', 'charts/berth', '--namespace', 'berth-system', '--create-namespace', '-f', 'charts/berth/values/beside.yaml', '-f', 'charts/berth/values/extender-kind.yaml', '--set', 'image.tag=kind', '--wait', '--timeout', '180s'])
  run(['helm', 'test', 'berth', '--namespace', 'berth-system', '--logs', '--timeout', '120s'])
  run(['kubectl', 'run', 'hello', `--image=${reference}`, '--restart=Never', '--overrides={"spec":{"schedulerName":"berth"}}', '--', 'version'])
  run(['kubectl', 'wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/hello', '--timeout=60s'])
  const from = run(['kubectl', 'get', 'events', '--field-selector', 'involvedObject.name=hello,reason=Scheduled', '-o', 'jsonpath={.items[*].reportingComponent}{.items[*].source.component}'], { capture: true })
  if (!from.includes('berth')) throw new Error(`hello was scheduled by ${from || 'nobody'}, not by berth`)
  run(['helm', 'uninstall', 'berth', '--namespace', 'berth-system', '--wait'])
  console.log('The chart was installed, tested and removed.')
} catch (error) {
  failed = true
  console.error(error.message)
} finally {
  if (made && !values.keep) spawnSync('kind', ['delete', 'cluster', '--name', values.name], { env, stdio: 'inherit' })
  fs.rmSync(scratch, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)
