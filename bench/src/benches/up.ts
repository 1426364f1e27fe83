import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import https from 'node:https'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { createClient, isNotFound, loadKubeconfig, transportFromKubeconfig, type KubeClient } from '@berth/kube'
import type { Bench } from '../main.ts'
import type { Row } from '../table.ts'
import { buildBerth } from '../berth.ts'
import { containersImage } from '../image.ts'

const dataDir = '/var/tmp/berth-bench'
const kubeconfig = path.join(dataDir, 'kubeconfig')

/** How Berth is run: as it is installed. */
let berthArgv: readonly string[] = []

function berth(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(berthArgv[0] ?? '', [...berthArgv.slice(1), ...args, '--data-dir', dataDir], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`berth ${args.join(' ')}: ${stderr}${stdout}`)
  return stdout
}

const manifest = (name: string, image: string): Pod => ({ metadata: { name, namespace: 'default' }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image, command: ['/pause', 'pause'] }] } })

/** When the pod had a node, and when it ran; milliseconds on this process's clock. */
async function times(client: KubeClient, name: string): Promise<{ bound: number; running: number }> {
  let bound = 0
  for await (const { object } of client.watch(core.pods, { namespace: 'default', fieldSelector: `metadata.name=${name}`, signal: AbortSignal.timeout(60_000) })) {
    if (object.spec.nodeName && bound === 0) bound = performance.now()
    if (object.status?.phase === 'Running') return { bound, running: performance.now() }
  }
  throw new Error(`${name} did not run`)
}

async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch {
      await sleep(20)
    }
  }
}

/** Resident memory of a process tree, MB, from /proc. */
function residentMb(pid: number): number {
  const children = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      return Number(fs.readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]) === pid
    } catch {
      return false
    }
  })
  const own = Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  return own + children.reduce((sum, child) => sum + residentMb(Number(child)), 0)
}

const isEngine = (name: string): boolean => name === 'containerd' || name === 'dockerd'

interface Processes { processes: Array<{ name: string; pid: number }> }

async function runtimeSeconds(address: string): Promise<number> {
  const { user } = await loadKubeconfig([kubeconfig])
  const pem = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString()
  const cert = pem(user['client-certificate-data'])
  const key = pem(user['client-key-data'])
  const text = await new Promise<string>((resolve, reject) => {
    https.get({ host: address, port: 10250, path: '/metrics', rejectUnauthorized: false, cert, key }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => { body += chunk }).on('end', () => resolve(body))
    }).on('error', reject)
  })
  return [...text.matchAll(/^kubelet_runtime_operations_duration_seconds_sum\{operation_type="(?:run_podsandbox|create_container|start_container)"\} (\S+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0)
}

/** From a cluster that is down, with its data there, to the first pod Running; what it weighs; and how fast pods start. */
export const up: Bench = {
  summary: 'berth up warm to the first pod Running, memory, pod start (peers: k3d, kind and minikube, none here)',
  async run({ runs, size, log }) {
    const toReady: number[] = []
    const toFirst: number[] = []
    const own: number[] = []
    const resident = new Map<string, number[]>()
    const beyond: number[] = []
    const whole: number[] = []
    const directory = fs.mkdtempSync('/var/tmp/berth-bench-program-')
    berthArgv = buildBerth(directory)
    berth('up')
    const image = containersImage(dataDir)
    for (let run = 0; run < runs; run++) {
      berth('down')
      fs.rmSync(kubeconfig, { force: true })
      const started = performance.now()
      const child = spawn(berthArgv[0] ?? '', [...berthArgv.slice(1), 'up', '--data-dir', dataDir], { stdio: 'ignore' })
      const ended = new Promise<void>((resolve) => {
        child.on('exit', () => {
          toReady.push((performance.now() - started) / 1000)
          resolve()
        })
      })
      const client = await eventually(async () => createClient(transportFromKubeconfig(kubeconfig)))
      await eventually(() => client.create(core.pods, manifest(`first-${run}`, image)))
      const { running } = await times(client, `first-${run}`)
      await ended
      toFirst.push((running - started) / 1000)
      log(`run ${run + 1}: first pod after ${toFirst.at(-1)?.toFixed(2)} s`)
      await sleep(5000)
      let sum = 0
      for (const { name, pid } of (JSON.parse(berth('status', '-o', 'json')) as Processes).processes) {
        const mb = residentMb(pid)
        resident.set(name, [...(resident.get(name) ?? []), mb])
        if (!isEngine(name)) sum += mb
      }
      own.push(sum)
      log(`run ${run + 1}: Ready and DNS after ${toReady.at(-1)?.toFixed(2)} s; ${sum.toFixed(0)} MB`)
      const { items } = await client.list(core.nodes)
      const address = items[0]?.status?.addresses?.find((a) => a.type === 'InternalIP')?.address ?? ''
      for (let i = 0; i < 3 * size; i++) {
        const name = `start-${run}-${i}`
        const before = await runtimeSeconds(address)
        const watching = times(client, name)
        await client.create(core.pods, manifest(name, image))
        const { bound, running: ran } = await watching
        const runtime = ((await runtimeSeconds(address)) - before) * 1000
        whole.push(ran - bound)
        beyond.push(ran - bound - runtime)
      }
      for (const { metadata } of (await client.list(core.pods, { namespace: 'default' })).items) {
        await client.delete(core.pods, metadata.name, { namespace: 'default', gracePeriodSeconds: 0 }).catch((error: unknown) => { if (!isNotFound(error)) throw error })
      }
    }
    berth('down', '--purge')
    fs.rmSync(directory, { recursive: true, force: true })
    const rows: Row[] = [
      { what: 'berth up, warm, to the node Ready and DNS answering', unit: 's', ours: toReady },
      { what: 'berth up, warm, to the first pod Running', unit: 's', ours: toFirst },
      { what: 'pod start: node given → Running', unit: 'ms', ours: whole },
      { what: 'the same, beyond the runtime\'s own calls', unit: 'ms', ours: beyond },
      { what: 'RSS idle, Berth\'s own processes', unit: 'MB', ours: own },
      ...[...resident].map(([name, ours]) => ({ what: `RSS idle, ${name}${isEngine(name) ? ' (Engine)' : ''}`, unit: 'MB', ours })),
    ]
    return rows
  },
}
