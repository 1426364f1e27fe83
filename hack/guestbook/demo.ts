// The main job of `npm start`, after the set-up: a cluster, the example's images, the guestbook, and where to look.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { apps, core, type ResourceInfo } from '@berth/api'
import type { Deployment } from '@berth/api/types/apps/v1'
import { createClient, transportFromKubeconfig, type KubeClient } from '@berth/kube'
import { Progress } from 'berth'
import { parseAllDocuments } from 'yaml'
import { images, withContext } from './images.ts'

const root = path.resolve(import.meta.dirname, '../..')
const launcher = path.join(root, 'packages/berth/bin/berth.js')
const dataDir = process.env.BERTH_DATA_DIR ?? '/var/lib/berth'
const dataDirArgs = ['--data-dir', dataDir]
const readyTimeoutMs = 180_000

function berth(args: readonly string[], stdio: 'inherit' | 'pipe' = 'pipe'): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', stdio === 'inherit' ? 'inherit' : 'pipe', stdio === 'inherit' ? 'inherit' : 'pipe'] })
    let out = ''
    let err = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => { out += text })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { err += text })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`berth ${args[0]} failed${err ? `: ${err.trim()}` : ''}`))))
  })
}

interface Manifest { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } }

function manifests(): Manifest[] {
  const folder = path.join(root, 'examples/guestbook')
  return fs.readdirSync(folder).filter((file) => file.endsWith('.yaml')).sort().reverse().flatMap((file) => parseAllDocuments(fs.readFileSync(path.join(folder, file), 'utf8')).map((document) => document.toJS() as Manifest))
}

const resourceOf: Readonly<Record<string, ResourceInfo>> = { Deployment: apps.deployments, Service: core.services }

async function applyAll(client: KubeClient): Promise<Manifest[]> {
  const all = manifests()
  for (const object of all) {
    const resource = resourceOf[object.kind]
    if (!resource) throw new Error(`examples/guestbook holds a ${object.kind}, which this demo does not know`)
    await client.patch(resource, object.metadata.name, { type: 'apply', body: object }, { namespace: object.metadata.namespace ?? 'default', fieldManager: 'berth-demo', force: true })
  }
  return all
}

function isReady(deployment: Deployment): boolean {
  const wanted = deployment.spec.replicas ?? 1
  const status = deployment.status ?? {}
  return status.observedGeneration === deployment.metadata.generation && status.updatedReplicas === wanted && status.readyReplicas === wanted && (status.replicas ?? 0) === wanted
}

async function waitReady(client: KubeClient, names: readonly string[], detail: (text: string) => void): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs
  for (;;) {
    const { items } = await client.list(apps.deployments, { namespace: 'default' })
    const wanted = items.filter((d) => names.includes(d.metadata.name))
    detail(wanted.map((d) => `${d.metadata.name} ${d.status?.readyReplicas ?? 0}/${d.spec.replicas ?? 1}`).join('  '))
    if (wanted.length === names.length && wanted.every(isReady)) return
    if (Date.now() > deadline) throw new Error('the guestbook is not Ready; `kubectl get pods` and `kubectl describe pods` tell why')
    await sleep(150)
  }
}

const progress = new Progress(process.stdout)
await berth(['up', ...dataDirArgs], 'inherit')
console.log()
const there = new Set((JSON.parse(await berth(['image', 'list', '-o', 'json', ...dataDirArgs])) as Array<{ reference: string }>).map((image) => image.reference))
for (const image of images) {
  await progress.step(`Image ${image.reference}`, async (detail) => {
    if (there.has(image.reference)) {
      detail('found')
      return
    }
    detail('from Debian packages')
    await withContext(image, (context) => berth(['image', 'build', '-t', image.reference, ...dataDirArgs, context]))
  })
}
const kubeconfig = (await berth(['kubeconfig', '--path', ...dataDirArgs])).trim()
const transport = await transportFromKubeconfig(kubeconfig)
const client = createClient(transport, { userAgent: 'berth-demo' })
const applied = await progress.step('Apply examples/guestbook', async () => applyAll(client))
await progress.step('Guestbook', async (detail) => waitReady(client, applied.filter((o) => o.kind === 'Deployment').map((o) => o.metadata.name), detail))
const { items: nodes } = await client.list(core.nodes)
const address = nodes[0]?.status?.addresses?.find((a) => a.type === 'InternalIP')?.address ?? 'the node'
await transport.close()

const hasKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0
console.log(`
The guestbook is at   http://${address}:30080

  export KUBECONFIG=${kubeconfig}

Worth trying:
  kubectl get pods -o wide
  kubectl scale deployment guestbook --replicas 5
  kubectl logs -f deployment/guestbook
${hasKubectl ? '' : '\nThere is no kubectl on this machine. https://kubernetes.io/docs/tasks/tools/ tells how to get one (1.35 to 1.37).\n'}
Stop it with   npm run down
`)
