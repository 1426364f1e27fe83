// Programs written with @kubernetes/client-node run against the cluster as they are.
import { Writable } from 'node:stream'
import { AppsV1Api, CoreV1Api, Exec, KubeConfig, KubernetesObjectApi, Log, makeInformer, type V1ConfigMap, type V1Status } from '@kubernetes/client-node'
import { describe, expect, inject, test } from 'vitest'
import { podsOf } from '../support/guestbook.ts'
import { hasKubectl } from '../support/kubectl.ts'
import { eventually } from '../support/wait.ts'

function config(): KubeConfig {
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromFile(inject('kubeconfig'))
  return kubeconfig
}

function collect(): Writable & { text(): string } {
  let text = ''
  return Object.assign(new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  }), { text: () => text })
}

describe.skipIf(!hasKubectl)('@kubernetes/client-node', () => {
  test('lists, creates, patches by server-side apply, and deletes', async () => {
    const core = config().makeApiClient(CoreV1Api)
    const apps = config().makeApiClient(AppsV1Api)
    expect((await apps.listNamespacedDeployment({ namespace: 'default' })).items.map((d) => d.metadata?.name)).toEqual(expect.arrayContaining(['guestbook', 'redis-follower', 'redis-leader']))
    await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'from-node' }, data: { a: 'b' } } })
    const objects = KubernetesObjectApi.makeApiClient(config())
    const applied = await objects.patch<V1ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'from-node', namespace: 'default' }, data: { c: 'd' } } as V1ConfigMap, undefined, undefined, 'suite', true, 'application/apply-patch+yaml')
    expect(applied.data).toEqual({ a: 'b', c: 'd' })
    await core.deleteNamespacedConfigMap({ name: 'from-node', namespace: 'default' })
    await expect(core.readNamespacedConfigMap({ name: 'from-node', namespace: 'default' })).rejects.toMatchObject({ code: 404 })
  })

  test('an informer sees what is there and what comes', async () => {
    const core = config().makeApiClient(CoreV1Api)
    const seen = new Set<string>()
    const informer = makeInformer(config(), '/api/v1/namespaces/default/configmaps', () => core.listNamespacedConfigMap({ namespace: 'default' }))
    informer.on('add', (object) => seen.add(`+${object.metadata?.name}`))
    informer.on('delete', (object) => seen.add(`-${object.metadata?.name}`))
    await informer.start()
    await eventually('what is there is seen', async () => seen.has('+kube-root-ca.crt'))
    await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'watched-by-node' } } })
    await eventually('what comes is seen', async () => seen.has('+watched-by-node'))
    await core.deleteNamespacedConfigMap({ name: 'watched-by-node', namespace: 'default' })
    await eventually('what goes is seen', async () => seen.has('-watched-by-node'))
    await informer.stop()
    expect(seen.has('-watched-by-node')).toBe(true)
  })

  test('exec gives output and status, logs can be read', async () => {
    const [pod] = await podsOf('app=redis,role=leader')
    const name = pod!.metadata.name
    const out = collect()
    const err = collect()
    const status = await new Promise<V1Status>((resolve, reject) => {
      new Exec(config()).exec('default', name, 'redis', ['sh', '-c', 'echo out; echo err >&2; exit 4'], out, err, null, false, resolve).catch(reject)
    })
    expect([out.text(), err.text(), status.status, status.details?.causes]).toEqual(['out\n', 'err\n', 'Failure', [{ reason: 'ExitCode', message: '4' }]])
    const log = collect()
    await new Log(config()).log('default', name, 'redis', log, { tailLines: 100 })
    await eventually('the log has come', async () => log.text().includes('Ready to accept connections'))
    expect(log.text()).toContain('Ready to accept connections')
  })
})
