import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from './support/engine.ts'
import { createShell, ended, podConfig, runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'

const missing = shimMissing()

describe.skipIf(missing !== '')(`sandboxes${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  beforeAll(async () => {
    shim = await startShim()
  })
  afterAll(() => shim.stop())

  test('the runtime says who it is and that it is ready', async () => {
    expect(await shim.client.version({})).toMatchObject({ runtimeName: 'docker', runtimeApiVersion: 'v1' })
    const { status } = await shim.client.status({})
    expect(status?.conditions.map(({ type, status: ok }) => [type, ok])).toEqual([
      ['RuntimeReady', true],
      ['NetworkReady', true],
    ])
    expect((await shim.client.runtimeConfig({})).linux).toEqual({ cgroupDriver: 'CGROUPFS' })
  })

  test('the runtime names its handlers, and a pod that wants another one is refused', async () => {
    const answer = await shim.client.status({})
    expect(answer.runtimeHandlers.map(({ name }) => name)).toEqual(expect.arrayContaining(['', 'runc']))
    expect(answer.features).toEqual({ supplementalGroupsPolicy: true, userNamespacesHostNetwork: false })
    const config = podConfig(shim)
    const { podSandboxId } = await shim.client.runPodSandbox({ config, runtimeHandler: 'runc' })
    expect((await shim.client.podSandboxStatus({ podSandboxId })).status?.runtimeHandler).toBe('runc')
    await expect(shim.client.runPodSandbox({ config: podConfig(shim), runtimeHandler: 'gvisor' })).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringMatching(/^runtime_handler: Docker has no runtime "gvisor" \(it has .*runc/) })
  })

  test('a pod CIDR that is none is refused', async () => {
    await shim.client.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr: '10.1.0.0/24,fd00::/64' } } })
    await expect(shim.client.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr: '10.1.0.0' } } })).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringContaining('pod_cidr') })
  })

  test('a sandbox’s resources are kept where its status shows them, until it ends', async () => {
    const pod = await runPod(shim)
    await shim.client.updatePodSandboxResources({ podSandboxId: pod.id, resources: { cpuShares: 512n }, overhead: {} })
    const { info } = await shim.client.podSandboxStatus({ podSandboxId: pod.id, verbose: true })
    expect(JSON.parse(info['info'] ?? '')).toMatchObject({ resources: { resources: { cpuShares: '512' } } })
    await shim.client.stopPodSandbox({ podSandboxId: pod.id })
    await expect(shim.client.updatePodSandboxResources({ podSandboxId: pod.id })).rejects.toMatchObject({ code: 'FailedPrecondition' })
    await expect(shim.client.updatePodSandboxResources({ podSandboxId: 'nobody' })).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('a checkpoint says what it needs where that is missing', async () => {
    const pod = await runPod(shim)
    const containerId = await runShell(shim, pod, 'sleep 1000')
    await expect(shim.client.checkpointContainer({ containerId, location: join(shim.engine.directory, 'checkpoint.tar') })).rejects.toMatchObject({ code: 'Unimplemented', message: expect.stringContaining('CRIU') })
    await expect(shim.client.checkpointContainer({ containerId, location: 'here' })).rejects.toMatchObject({ code: 'InvalidArgument' })
  })

  test('metrics are described, and every value has as many labels as its description', async () => {
    const pod = await runPod(shim)
    const containerId = await runShell(shim, pod, 'while :; do :; done')
    const { descriptors } = await shim.client.listMetricDescriptors({})
    const keys = new Map(descriptors.map(({ name, labelKeys }) => [name, labelKeys]))
    await until(async () => {
      const own = (await shim.client.listPodSandboxMetrics({})).podMetrics.find(({ podSandboxId }) => podSandboxId === pod.id)
      return (own?.containerMetrics[0]?.metrics.find(({ name }) => name === 'container_cpu_usage_seconds_total')?.value?.value ?? 0n) > 0n
    }, 'a second of CPU is counted')
    const { podMetrics } = await shim.client.listPodSandboxMetrics({})
    const own = podMetrics.find(({ podSandboxId }) => podSandboxId === pod.id)
    const ofContainer = own?.containerMetrics.find((of) => of.containerId === containerId)?.metrics ?? []
    for (const { name, labelValues } of [...(own?.metrics ?? []), ...ofContainer]) expect([name, labelValues.length]).toEqual([name, keys.get(name)?.length])
    expect(own?.metrics.map(({ name }) => name)).toEqual(expect.arrayContaining(['container_network_receive_bytes_total', 'container_memory_usage_bytes']))
    const names = ['container_memory_working_set_bytes', 'container_processes', 'container_threads', 'container_start_time_seconds', 'container_fs_usage_bytes', 'container_spec_cpu_shares', 'container_oom_events_total']
    expect(ofContainer.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
    expect(ofContainer.find(({ name }) => name === 'container_processes')).toMatchObject({ metricType: 'GAUGE', value: { value: 1n }, labelValues: ['main', containerId, expect.any(String), expect.any(String), 'default', pod.config.metadata.name] })
    const streamed = []
    for await (const { podSandboxMetrics } of shim.client.streamPodSandboxMetrics({})) streamed.push(...podSandboxMetrics.map(({ podSandboxId }) => podSandboxId))
    expect(streamed).toContain(pod.id)
    await shim.client.removePodSandbox({ podSandboxId: pod.id })
  })

  test('a sandbox gets an address, a host name, a resolv.conf and hosts of its own', async () => {
    const pod = await runPod(shim, { dnsConfig: { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local'], options: ['ndots:5'] } })
    const { status } = await shim.client.podSandboxStatus({ podSandboxId: pod.id })
    expect(status).toMatchObject({ id: pod.id, state: 'SANDBOX_READY', metadata: pod.config.metadata, annotations: { note: 'kept' }, linux: { namespaces: { options: { network: 'POD', pid: 'POD' } } } })
    expect(status?.network?.ip).toMatch(/^10\.2\d\d\.\d+\.\d+$/)
    const container = await runShell(shim, pod, 'hostname; cat /etc/resolv.conf /etc/hosts; ip -4 -o addr show eth0; sleep 1000')
    const { stdout } = await shim.client.execSync({ containerId: container, cmd: ['sh', '-c', 'hostname; cat /etc/resolv.conf; grep "$(hostname)" /etc/hosts; ip -4 -o addr show eth0'] })
    const text = Buffer.from(stdout).toString()
    expect(text).toContain(`${pod.config.hostname}\nnameserver 10.96.0.10\nsearch default.svc.cluster.local\noptions ndots:5\n`)
    expect(text).toContain(`${status?.network?.ip}\t${pod.config.hostname}\n`)
    expect(text).toContain(`inet ${status?.network?.ip}/24`)
    const loopback = await shim.client.execSync({ containerId: container, cmd: ['ip', 'addr', 'show', 'lo'] })
    expect(Buffer.from(loopback.stdout).toString()).toMatch(/LOOPBACK,UP[\s\S]*inet 127\.0\.0\.1\/8/)
  })

  test('stopping and removing a sandbox may be done again and again, and leaves nothing', async () => {
    const pod = await runPod(shim)
    const container = await runShell(shim, pod, 'sleep 1000')
    const address = (await shim.client.podSandboxStatus({ podSandboxId: pod.id })).status?.network?.ip ?? ''
    const ipam = join(shim.engine.directory, 'ipam', 'test')
    expect(existsSync(join(ipam, address))).toBe(true)
    await shim.client.stopPodSandbox({ podSandboxId: pod.id })
    expect(existsSync(join(ipam, address))).toBe(false)
    expect((await shim.client.podSandboxStatus({ podSandboxId: pod.id })).status).toMatchObject({ state: 'SANDBOX_NOTREADY', network: { ip: '' } })
    expect((await ended(shim, container)).exitCode).toBe(137)
    await shim.client.stopPodSandbox({ podSandboxId: pod.id })
    await shim.client.removePodSandbox({ podSandboxId: pod.id })
    await shim.client.removePodSandbox({ podSandboxId: pod.id })
    await shim.client.stopPodSandbox({ podSandboxId: pod.id })
    await expect(shim.client.podSandboxStatus({ podSandboxId: pod.id })).rejects.toMatchObject({ code: 'NotFound' })
    await expect(shim.client.containerStatus({ containerId: container })).rejects.toMatchObject({ code: 'NotFound' })
    expect((await shim.engine.docker.listContainers({ all: true })).filter(({ Id }) => [pod.id, container].includes(Id))).toEqual([])
  })

  test('a sandbox is listed by its state, labels and id, and others never are', async () => {
    const foreign = await shim.engine.docker.createContainer({ Image: 'berth.test/busybox:1', Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'none' }, Labels: { 'io.kubernetes.docker.type': 'podsandbox', 'berth.dev/node': 'node-b' } })
    await foreign.start()
    const pod = await runPod(shim)
    const ids = async (filter: object): Promise<string[]> => (await shim.client.listPodSandbox({ filter })).items.map(({ id }) => id)
    expect(await ids({ labelSelector: pod.config.labels })).toEqual([pod.id])
    expect(await ids({ id: pod.id.slice(0, 13) })).toEqual([pod.id])
    expect(await ids({ state: { state: 'SANDBOX_READY' } })).toContain(pod.id)
    expect(await ids({ state: { state: 'SANDBOX_NOTREADY' } })).not.toContain(pod.id)
    expect(await ids({})).not.toContain(foreign.id)
    await shim.client.removePodSandbox({ podSandboxId: foreign.id })
    expect((await foreign.inspect()).State.Running).toBe(true)
    await foreign.remove({ force: true })
  })

  test('a sandbox that was asked for twice exists once', async () => {
    const config = podConfig(shim)
    const { podSandboxId } = await shim.client.runPodSandbox({ config })
    await expect(shim.client.runPodSandbox({ config })).rejects.toMatchObject({ code: 'AlreadyExists' })
    await shim.client.stopPodSandbox({ podSandboxId })
    const again = await shim.client.runPodSandbox({ config })
    expect(again.podSandboxId).not.toBe(podSandboxId)
    expect((await shim.client.listPodSandbox({ filter: { labelSelector: config.labels ?? {} } })).items.map(({ id }) => id)).toEqual([again.podSandboxId])
  })

  test('a sandbox whose network fails is taken away again, and the error names pod and plugin', async () => {
    const before = readdirSync(join(shim.options.rootDir, 'sandboxes')).length
    const config = podConfig(shim, { annotations: { 'kubernetes.io/ingress-bandwidth': 'much' } })
    await expect(shim.client.runPodSandbox({ config })).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringContaining('"much" is no quantity') })
    expect((await shim.client.listPodSandbox({ filter: { labelSelector: config.labels ?? {} } })).items).toEqual([])
    expect(readdirSync(join(shim.options.rootDir, 'sandboxes'))).toHaveLength(before)
  })

  test.each([
    [{}, 'config.metadata: is required'],
    [{ metadata: { name: 'a', namespace: 'b' } }, 'config.metadata.uid: is required'],
    [{ metadata: { name: 'a', namespace: 'b', uid: 'c' }, linux: { securityContext: { namespaceOptions: { usernsOptions: { mode: 'POD' as const } } } } }, 'no version of Docker has user namespaces of a pod'],
  ])('a sandbox like %o is refused', async (config, message) => {
    await expect(shim.client.runPodSandbox({ config })).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringContaining(message) })
  })

  test("a pod with the node's network has the host's, and no address of its own", async () => {
    const options = { network: 'NODE' as const, pid: 'NODE' as const, ipc: 'NODE' as const }
    const pod = await runPod(shim, { hostname: '', linux: { securityContext: { namespaceOptions: options } } })
    const container = await runShell(shim, pod, 'sleep 1000', { linux: { securityContext: { namespaceOptions: options } } })
    const { stdout } = await shim.client.execSync({ containerId: container, cmd: ['sh', '-c', 'for n in net pid ipc; do readlink /proc/self/ns/$n; done'] })
    const own = ['net', 'pid', 'ipc'].map((name) => execFileSync('readlink', [`/proc/self/ns/${name}`]).toString())
    expect(Buffer.from(stdout).toString()).toBe(own.join(''))
    expect((await shim.client.podSandboxStatus({ podSandboxId: pod.id })).status?.network?.ip).toBe('')
  })

  test('containers of a pod share its network and IPC, and its processes where the pod wants that', async () => {
    const shared = { network: 'POD' as const, pid: 'POD' as const, ipc: 'POD' as const }
    const pod = await runPod(shim)
    const one = await runShell(shim, pod, 'sleep 1000', { linux: { securityContext: { namespaceOptions: shared } } })
    const two = await runShell(shim, pod, 'sleep 1000', { metadata: { name: 'two' }, logPath: 'two/0.log', linux: { securityContext: { namespaceOptions: { ...shared, pid: 'CONTAINER' } } } })
    const three = await runShell(shim, pod, 'sleep 1000', { metadata: { name: 'three' }, logPath: 'three/0.log', linux: { securityContext: { namespaceOptions: { ...shared, pid: 'TARGET', targetId: two } } } })
    const namespaces = async (containerId: string): Promise<string[]> =>
      Buffer.from((await shim.client.execSync({ containerId, cmd: ['sh', '-c', 'for n in net ipc pid; do readlink /proc/self/ns/$n; done'] })).stdout).toString().trim().split('\n')
    const [first, second, third] = [await namespaces(one), await namespaces(two), await namespaces(three)]
    expect(second.slice(0, 2)).toEqual(first.slice(0, 2))
    expect(second[2]).not.toBe(first[2])
    expect(third[2]).toBe(second[2])
    const { stdout } = await shim.client.execSync({ containerId: one, cmd: ['cat', '/proc/1/cmdline'] })
    expect(Buffer.from(stdout).toString()).toContain('pause')
  })

  test('a sandbox that is removed behind our back loses its address and its files', async () => {
    const pod = await runPod(shim)
    const address = (await shim.client.podSandboxStatus({ podSandboxId: pod.id })).status?.network?.ip ?? ''
    await shim.engine.docker.getContainer(pod.id).remove({ force: true })
    await until(() => !existsSync(join(shim.engine.directory, 'ipam', 'test', address)), 'the address is free')
    await expect(shim.client.podSandboxStatus({ podSandboxId: pod.id })).rejects.toMatchObject({ code: 'NotFound' })
    await shim.client.stopPodSandbox({ podSandboxId: pod.id })
  })

  test('sysctls of the pod hold in its containers', async () => {
    const pod = await runPod(shim, { linux: { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '80' } } })
    const container = await createShell(shim, pod, 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start')
    await shim.client.startContainer({ containerId: container })
    await ended(shim, container)
    expect(readFileSync(join(pod.config.logDirectory ?? '', 'main/0.log'), 'utf8')).toMatch(/ stdout F 80\n$/)
  })
})
