// What is published, used as by somebody who has JavaScript and npm alone: built, packed, unpacked where nothing else is, and run. With a Node of the oldest version that is
// supported where BERTH_OLDEST_NODE names one.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const root = new URL('..', import.meta.url).pathname
let directory: string
let installed: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-testing-pack-'))
  await run(process.execPath, ['scripts/build.ts', join(directory, 'dist')], { cwd: root })
  installed = join(directory, 'project/node_modules/@berth/testing')
  await mkdir(installed, { recursive: true })
  // As `pnpm pack` does: publishConfig takes the place of what it names.
  const { publishConfig, devDependencies: _dev, scripts: _scripts, ...rest } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { publishConfig: object, devDependencies: object, scripts: object }
  await writeFile(join(installed, 'package.json'), JSON.stringify({ ...rest, ...publishConfig }))
  await run('cp', ['-r', join(directory, 'dist'), installed])
})

afterAll(() => rm(directory, { recursive: true, force: true }))

test('a plain JavaScript project can test with it', async () => {
  const project = join(directory, 'project')
  await writeFile(join(project, 'cluster.test.mjs'), `import assert from 'node:assert'
import test from 'node:test'
import { core, startCluster } from '@berth/testing'

test('a job ends', async (t) => {
  const cluster = await startCluster({ nodes: 1 })
  t.after(() => cluster.stop())
  await cluster.apply('apiVersion: batch/v1\\nkind: Job\\nmetadata: { name: j }\\nspec: { template: { spec: { restartPolicy: Never, containers: [{ name: c, image: busybox }] } } }\\n')
  await cluster.waitFor('job/j', 'condition=Complete')
  assert.equal((await cluster.client.list(core.nodes)).items.length, 1)
  assert.throws(() => cluster.kubeConfig(), /npm install --save-dev @kubernetes\\/client-node/)
})

test('objects outlive a cluster that has a directory', async () => {
  const options = { dataDir: ${JSON.stringify(join(directory, 'data'))}, controllers: false, scheduler: false }
  const one = await startCluster(options)
  await one.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' } })
  await one.stop()
  const two = await startCluster(options)
  assert.equal((await two.client.get(core.configmaps, 'kept', { namespace: 'default' })).metadata.name, 'kept')
  await two.stop()
})
`)
  // Nothing of the run around it: pnpm's programs name their own packages in NODE_PATH.
  const { NODE_TEST_CONTEXT: _context, NODE_PATH: _path, ...env } = process.env
  const node = process.env['BERTH_OLDEST_NODE'] ?? process.execPath
  const { stdout } = await run(node, ['--test', 'cluster.test.mjs'], { cwd: project, env, timeout: 100_000 })
  expect(stdout).toMatch(/pass 2\n/)
})

test('a TypeScript project finds the types of what it uses', async () => {
  const project = join(directory, 'project')
  await writeFile(join(project, 'use.mts'), `import { core, startCluster, type Cluster } from '@berth/testing'
import type { Pod } from '@berth/testing/types/core/v1'

export async function phase(cluster: Cluster): Promise<string | undefined> {
  const pod: Pod = await cluster.client.get(core.pods, 'a', { namespace: 'default' })
  // @ts-expect-error A pod has no such field.
  void pod.spec.nonsense
  return (await cluster.waitFor<Pod>('pod/a', ({ status }) => status?.phase === 'Running')).status?.phase
}
// @ts-expect-error Nodes are counted.
void startCluster({ nodes: 'two' })
`)
  const flags = ['--noEmit', '--strict', '--target', 'es2024', '--lib', 'es2024,esnext.disposable', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--skipLibCheck', '--types', '']
  await expect(run(join(root, 'node_modules/.bin/tsc'), [...flags, 'use.mts'], { cwd: project })).resolves.toMatchObject({ stderr: '' })
})
