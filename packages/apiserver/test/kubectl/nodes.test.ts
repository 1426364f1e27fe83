import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasKubectl, startCli, type Cli } from '../support/cli.ts'

let cli: Cli
beforeAll(async () => {
  if (!hasKubectl) return
  cli = await startCli()
  const node = (name: string): string => JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { pool: 'p' } }, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
  await cli.ok('create -f -', { input: node('n1') + node('n2') })
  await cli.ok('taint nodes --all node.kubernetes.io/not-ready-')
})
afterAll(() => cli?.stop())

const specOf = async (name: string): Promise<unknown> => (await cli.get(`node ${name}`))['spec']
const pod = (name: string, more: object = {}, spec: object = {}): string => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...more }, spec: { nodeName: 'n2', containers: [{ name: 'c', image: 'i' }], ...spec } })

describe.skipIf(!hasKubectl)('what kubectl does to nodes', () => {
  test('kubectl taint: adds, refuses to overwrite, overwrites, removes by effect and by key', async () => {
    expect(await cli.ok('taint node n1 k=v:NoSchedule k=v:NoExecute')).toBe('node/n1 tainted\n')
    await expect(cli.ok('taint node n1 k=w:NoSchedule')).rejects.toThrow('error: node n1 already has k taint(s) with same effect(s) and --overwrite is false')
    expect(await cli.ok('taint node n1 k=w:NoSchedule --overwrite')).toBe('node/n1 modified\n')
    expect(await specOf('n1')).toMatchObject({ taints: [{ key: 'k', value: 'w', effect: 'NoSchedule' }, { key: 'k', value: 'v', effect: 'NoExecute' }] })
    expect(await cli.ok('taint node n1 k:NoSchedule-')).toBe('node/n1 untainted\n')
    expect(await cli.ok('taint node n1 k-')).toBe('node/n1 untainted\n')
    expect(await specOf('n1')).not.toHaveProperty('taints')
    await expect(cli.ok('taint node n1 k=v:Sometimes')).rejects.toThrow('invalid taint effect: Sometimes, unsupported taint effect')
  })

  test('kubectl cordon: nodes by selector, once', async () => {
    expect(await cli.ok('cordon -l pool=p')).toBe('node/n1 cordoned\nnode/n2 cordoned\n')
    expect(await cli.ok('cordon n1')).toBe('node/n1 already cordoned\n')
    expect(await specOf('n1')).toMatchObject({ unschedulable: true })
    expect(await cli.ok('get node n1 --no-headers')).toMatch(/^n1 +Ready,SchedulingDisabled /)
  })

  test('kubectl uncordon: takes it back', async () => {
    expect(await cli.ok('uncordon n1')).toBe('node/n1 uncordoned\n')
    expect(await cli.ok('uncordon n1')).toBe('node/n1 already uncordoned\n')
    expect(await specOf('n1')).not.toHaveProperty('unschedulable')
  })

  test('kubectl drain: names what is in the way, and takes it with leave', async () => {
    await cli.ok('create -f -', { input: pod('bare') + pod('data', { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true }] }, { volumes: [{ name: 'v', emptyDir: {} }] }) + pod('daemon', { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true }] }) })
    await cli.ok('create -f -', { input: JSON.stringify({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } }) })
    const refused = await cli.end('drain n2')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('cannot delete Pods that declare no controller (use --force to override): default/bare')
    expect(refused.stderr).toContain('cannot delete Pods with local storage (use --delete-emptydir-data to override): default/data')
    expect(refused.stderr).toContain('cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): default/daemon')
    expect(await cli.ok('drain n2 --force --delete-emptydir-data --ignore-daemonsets --dry-run=server')).toContain('node/n2 drained (server dry run)')
    expect(await cli.ok('get pods -o name')).toBe('pod/bare\npod/daemon\npod/data\n')
    const { stdout, stderr } = await cli.end('drain n2 --force --delete-emptydir-data --ignore-daemonsets --grace-period=0 --timeout=60s')
    expect(stdout).toMatch(/^node\/n2 already cordoned\nevicting pod default\/\w+\nevicting pod default\/\w+\npod\/\w+ evicted\npod\/\w+ evicted\nnode\/n2 drained\n$/)
    for (const warning of ['ignoring DaemonSet-managed Pods: default/daemon', 'deleting Pods that declare no controller: default/bare']) expect(stderr).toContain(warning)
    expect(await cli.ok('get pods -o name')).toBe('pod/daemon\n')
  })
})
