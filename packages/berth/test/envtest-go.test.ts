// A Go controller's own tests (examples/testing-go-controller), with envtest on our launchers.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { berth, run } from './support/run.ts'

const example = path.resolve(import.meta.dirname, '../../../examples/testing-go-controller')
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-envtest-go-'))
const env = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' }

/** Why the controller cannot be built here; undefined when it can. */
function missing(): string | undefined {
  const ask = (args: readonly string[]): { status: number | null, said: string } => {
    const { status, stderr, error } = spawnSync('go', args, { cwd: example, encoding: 'utf8', timeout: 60_000, env: { ...process.env, ...env } })
    return { status: error ? -1 : status, said: error ? error.message : stderr.trim() }
  }
  const version = ask(['version'])
  if (version.status !== 0) return `Go is not installed (${version.said})`
  const modules = ask(['mod', 'download'])
  return modules.status === 0 ? undefined : `the controller's Go modules are not to be had (${modules.said.slice(0, 200)})`
}

const why = missing()
if (why !== undefined) console.log(`skipped: ${why}`)
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

// Most of the time goes into compiling Kubernetes' clients, where Go's cache does not have them.
test.skipIf(why !== undefined)('a Go controller\'s envtest suite passes: definitions, webhooks, users, reconciling', { timeout: 1_200_000 }, async () => {
  const installed = await berth(['envtest', 'install', directory, '-o', 'json'])
  const { KUBEBUILDER_ASSETS } = (JSON.parse(installed.stdout) as { env: { KUBEBUILDER_ASSETS: string } }).env
  const { code, stdout, stderr } = await run(['go', 'test', '-count=1', '-v', './...'], { cwd: example, env: { ...env, KUBEBUILDER_ASSETS } })
  expect(stdout + stderr).toMatch(/^--- PASS: TestWebsite /m)
  expect(code).toBe(0)
})
