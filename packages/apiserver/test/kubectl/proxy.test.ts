import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasKubectl, startCli, type Cli } from '../support/cli.ts'

let cli: Cli
beforeAll(async () => { if (hasKubectl) cli = await startCli() })
afterAll(() => cli?.stop())

/** A `kubectl proxy` on a free port. */
async function proxy(...flags: string[]): Promise<{ url: string, stop(): void }> {
  const child = spawn('kubectl', ['proxy', '--port=0', ...flags], { env: { ...process.env, KUBECONFIG: cli.config } })
  const first = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  const address = /^Starting to serve on (127\.0\.0\.1:\d+)$/.exec(String(first.value))?.[1]
  if (address === undefined) throw new Error(`no address: ${first.value}`)
  return { url: `http://${address}`, stop: () => void child.kill() }
}

describe.skipIf(!hasKubectl)('what kubectl stands in front of', () => {
  test('kubectl proxy: reads, writes and watches over plain HTTP, as its user', async () => {
    const { url, stop } = await proxy('--reject-methods=^DELETE$')
    try {
      const created = await fetch(`${url}/api/v1/namespaces/default/configmaps`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'through' } }) })
      expect([created.status, await created.json()]).toMatchObject([201, { metadata: { name: 'through' } }])
      const watch = await fetch(`${url}/api/v1/namespaces/default/configmaps?watch=1&fieldSelector=metadata.name%3Dthrough`)
      const reader = watch.body?.pipeThrough(new TextDecoderStream()).getReader()
      expect((await reader?.read())?.value).toMatch(/^\{"type":"ADDED","object":\{"kind":"ConfigMap"/)
      await cli.ok('label configmap through a=b')
      expect((await reader?.read())?.value).toMatch(/^\{"type":"MODIFIED"/)
      await reader?.cancel()
      expect(await (await fetch(`${url}/readyz`)).text()).toBe('ok')
      expect((await fetch(`${url}/api/v1/namespaces/default/configmaps/through`, { method: 'DELETE' })).status).toBe(403)
      // What carries streams is refused by default.
      expect((await fetch(`${url}/api/v1/namespaces/default/pods/p/exec?command=true`, { method: 'POST' })).status).toBe(403)
    } finally {
      stop()
    }
  })

  test('kubectl proxy: under a prefix, and files beside the API', async () => {
    await cli.file('page.html', 'a page\n')
    const { url, stop } = await proxy('--api-prefix=/k8s/', `--www=${cli.under.dir}`, '--www-prefix=/files/')
    try {
      expect(await (await fetch(`${url}/k8s/version`)).json()).toMatchObject({ major: '1', minor: '36' })
      expect(await (await fetch(`${url}/files/page.html`)).text()).toBe('a page\n')
    } finally {
      stop()
    }
  })
})
