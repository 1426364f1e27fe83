import { core } from '@berth/api'
import { afterEach, expect, test } from 'vitest'
import { tmpdir } from 'node:os'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createClient, silentLogger } from '@berth/kube'
import { startApiServer, type ApiServer } from '../src/index.ts'

let server: ApiServer | undefined
const dataDir = mkdtempSync(join(tmpdir(), 'berth-privileged-'))
afterEach(async () => {
  await server?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

test.each([[false, 'spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy'], [true, 'created']])('with --allow-privileged=%s a privileged pod is: %s', async (allowPrivileged, outcome) => {
  server = await startApiServer({ dataDir, storage: 'memory', bindAddress: '127.0.0.1', securePort: 0, disableAdmissionPlugins: ['ServiceAccount'], allowPrivileged, logger: silentLogger() })
  await server.whenReady()
  const client = createClient(server.loopback)
  const said = await client.create(core.pods, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'x', securityContext: { privileged: true } }] } }).then(() => 'created', (error: Error) => error.message)
  expect(said).toContain(outcome)
})
