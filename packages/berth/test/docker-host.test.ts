// `berth up --docker-host`: the Engine is the user's, and so are all containers in it but Berth's.
import { spawnSync } from 'node:child_process'
import type { Pod } from '@berth/api/types/core/v1'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterMissing, eventually, image, leftovers, testCluster } from './support/cluster.ts'
import { startUsersEngine, type UsersEngine } from './support/users-engine.ts'

const missing = clusterMissing()
if (missing) console.log(`skipped: ${missing}`)

describe.skipIf(missing)('a cluster on the user\'s own Engine', () => {
  const cluster = testCluster('users')
  let engine: UsersEngine
  let before: unknown

  /** The user's things, in every detail that a stop, a restart, an update or a removal would change. */
  async function usersThings(): Promise<unknown> {
    const look = async (name: string) => {
      const { Id, State, Config, HostConfig, RestartCount, NetworkSettings } = await engine.docker.getContainer(name).inspect()
      return { Id, State, Config, HostConfig, RestartCount, NetworkSettings }
    }
    return { running: await look('mine'), ended: await look('mine-ended'), volume: await engine.docker.getVolume('mine').inspect(), image: (await engine.docker.getImage('mine:1').inspect()).Id }
  }

  async function usersContainer(name: string, command: string[]): Promise<void> {
    const container = await engine.docker.createContainer({ name, Image: 'mine:1', Cmd: command, Labels: { app: 'web' }, HostConfig: { NetworkMode: 'none', RestartPolicy: { Name: 'always' }, Binds: ['mine:/data'] } })
    await container.start()
  }

  beforeAll(async () => {
    engine = await startUsersEngine(`/var/tmp/berth-m-docker-${process.pid}`)
    const tar = spawnSync('tar', ['-C', '/', '-c', 'bin/busybox', '--dereference'], { maxBuffer: 64 * 2 ** 20 }).stdout
    const stream = await engine.docker.importImage(tar as unknown as NodeJS.ReadableStream, { repo: 'mine', tag: '1' })
    await new Promise<void>((resolve, reject) => { engine.docker.modem.followProgress(stream, (error: Error | null) => (error ? reject(error) : resolve())) })
    await engine.docker.createVolume({ Name: 'mine' })
    await usersContainer('mine', ['/bin/busybox', 'sleep', '1000000'])
    await usersContainer('mine-ended', ['/bin/busybox', 'sleep', '1000000'])
    await engine.docker.getContainer('mine-ended').stop({ t: 0 })
    before = await usersThings()
    await cluster.up('--docker-host', engine.host)
    await cluster.buildImage()
  })
  afterAll(async () => {
    await cluster.remove()
    await engine.stop()
  })

  test('the instance runs without an Engine of its own', async () => {
    const { code, stdout } = await cluster.berth(['status', '-o', 'json'])
    expect([code, (JSON.parse(stdout) as { processes: Array<{ name: string }> }).processes.map((p) => p.name)]).toEqual([0, ['server', 'agent-n1']])
  })

  test('pods run in it, are killed and deleted, and the user\'s containers are none of their business', async () => {
    const pod = (name: string, command: string) => JSON.stringify({
      apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: 'web' } },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, imagePullPolicy: 'Never', command: ['sh', '-c', command] }] },
    })
    await cluster.kubectl(['apply', '-f', '-'], [pod('stays', 'exec sleep 1000000'), pod('crashes', 'sleep 1; exit 3')].join('\n'))
    await cluster.kubectl(['wait', 'pod/stays', '--for=condition=Ready', '--timeout=60s'])
    await eventually('the pod that crashes is started again', async () => {
      const { status } = JSON.parse(await cluster.kubectl(['get', 'pod', 'crashes', '-o', 'json'])) as Pod
      return (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0 ? true : undefined
    })
    expect(await usersThings()).toEqual(before)
    await cluster.kubectl(['delete', 'pod', 'crashes', '--wait=true'])
    expect(await usersThings()).toEqual(before)
  })

  test('kubectl shows none of the user\'s containers', async () => {
    expect(await cluster.kubectl(['get', 'pods', '-A', '-o', 'name'])).toBe('pod/stays\n')
  })

  test('another Engine for the same cluster is refused', async () => {
    const { code, stderr } = await cluster.berth(['up', '--docker-host', 'unix:///run/another.sock'])
    expect([code, stderr]).toEqual([1, `Error: this cluster was made with ${engine.host}; \`berth down --purge\` it first to change its Engine\n`])
  })

  test('down removes Berth\'s containers, and only those; the Engine runs on', async () => {
    expect((await engine.docker.listContainers({ all: true })).length).toBeGreaterThan(2)
    const { code, stderr } = await cluster.berth(['down'])
    expect([code, stderr]).toEqual([0, ''])
    expect((await engine.docker.listContainers({ all: true })).map((c) => c.Names[0]).sort()).toEqual(['/mine', '/mine-ended'])
    expect(await usersThings()).toEqual(before)
    expect(await leftovers(cluster.layout)).toEqual([])
  })
})
