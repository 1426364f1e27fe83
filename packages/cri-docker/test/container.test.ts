import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerConfig, Init, LinuxContainerSecurityContext } from '@berth/cri'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importBusybox, until } from './support/engine.ts'
import { busybox, createShell, ended, logLines, runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'

const missing = shimMissing()
const directory = mkdtempSync(join(tmpdir(), 'berth-container-'))

describe.skipIf(missing !== '')(`containers${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  let pod: Awaited<ReturnType<typeof runPod>>
  let attempts = 0
  beforeAll(async () => {
    shim = await startShim()
    pod = await runPod(shim)
  })
  afterAll(async () => {
    await shim.stop()
    rmSync(directory, { recursive: true })
  })

  const run = (script: string, fields: Init<ContainerConfig> = {}): Promise<string> => {
    attempts += 1
    return runShell(shim, pod, script, { logPath: `main/${attempts}.log`, ...fields }, attempts)
  }
  const logOf = (attempt: number): string => readFileSync(join(pod.config.logDirectory ?? '', `main/${attempt}.log`), 'utf8')
  /** What a script prints to its log, run to its end. */
  const output = async (script: string, fields: Init<ContainerConfig> = {}): Promise<string[]> => {
    const id = await run(script, fields)
    const attempt = attempts
    await ended(shim, id)
    return logLines(logOf(attempt)).map((line) => line.replace(/^std\w+ F /, ''))
  }

  test('a container goes from created to running to exited, with its times and exit code', async () => {
    attempts += 1
    const id = await createShell(shim, pod, 'exit 3', { logPath: `main/${attempts}.log` }, attempts)
    const status = async (): Promise<unknown> => (await shim.client.containerStatus({ containerId: id })).status
    expect(await status()).toMatchObject({ state: 'CONTAINER_CREATED', startedAt: 0n, finishedAt: 0n, exitCode: 0, metadata: { name: 'main', attempt: attempts } })
    await shim.client.startContainer({ containerId: id })
    const { createdAt, startedAt, finishedAt, ...rest } = await ended(shim, id)
    expect(rest).toMatchObject({ exitCode: 3, reason: 'Error', image: { image: busybox }, labels: { 'io.kubernetes.container.name': 'main' } })
    expect(rest.imageId).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(createdAt < startedAt && startedAt <= finishedAt).toBe(true)
    await expect(shim.client.startContainer({ containerId: id })).rejects.toMatchObject({ code: 'FailedPrecondition' })
  })

  test('starting, stopping and removing may be repeated', async () => {
    const containerId = await run('trap "exit 0" TERM; while :; do sleep 0.05; done')
    await shim.client.startContainer({ containerId })
    await shim.client.stopContainer({ containerId, timeout: 30n })
    expect(await ended(shim, containerId)).toMatchObject({ exitCode: 0, reason: 'Completed' })
    await shim.client.stopContainer({ containerId, timeout: 30n })
    await shim.client.removeContainer({ containerId })
    await shim.client.removeContainer({ containerId })
    await shim.client.stopContainer({ containerId, timeout: 0n })
    await expect(shim.client.startContainer({ containerId })).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('a container that ignores its stop signal is killed after the timeout', async () => {
    const containerId = await run('trap "" TERM; while :; do sleep 0.05; done')
    await shim.client.stopContainer({ containerId, timeout: 1n })
    expect((await ended(shim, containerId)).exitCode).toBe(137)
  })

  test('a program that does not exist is a start error that says so', async () => {
    attempts += 1
    const { containerId } = await shim.client.createContainer({ podSandboxId: pod.id, sandboxConfig: pod.config, config: { metadata: { name: 'none', attempt: attempts }, image: { image: busybox }, command: ['/no/such/program'] } })
    await expect(shim.client.startContainer({ containerId })).rejects.toMatchObject({ message: expect.stringContaining('/no/such/program') })
    expect((await shim.client.containerStatus({ containerId })).status).toMatchObject({ state: 'CONTAINER_EXITED', exitCode: 128, reason: 'StartError', message: expect.stringContaining('/no/such/program') })
  })

  test('a container that uses too much memory is OOMKilled', async () => {
    const id = await run('tail /dev/zero', { linux: { resources: { memoryLimitInBytes: 16n * 1024n * 1024n } } })
    expect(await ended(shim, id)).toMatchObject({ reason: 'OOMKilled', exitCode: 137, resources: { linux: { memoryLimitInBytes: 16n * 1024n * 1024n } } })
  })

  test('command, arguments, environment, directory and user are those that were asked for', async () => {
    expect(await output('pwd; echo $A; id', { workingDir: '/tmp', envs: [{ key: 'A', value: Buffer.from('b c=d') }], linux: { securityContext: { runAsUser: { value: 1000n }, runAsGroup: { value: 3000n }, supplementalGroups: [4000n, 5000n] } } })).toEqual([
      '/tmp',
      'b c=d',
      'uid=1000(web) gid=3000 groups=2000(extra),3000,4000,5000',
    ])
    expect(await output('id -u', { linux: { securityContext: { runAsUsername: 'nobody' } } })).toEqual(['65534'])
  })

  test('an image’s own entry point and arguments hold where the pod gives none', async () => {
    attempts += 1
    await shim.engine.docker.getContainer(await run('true')).commit({ repo: 'berth.test/entry', tag: '1', Entrypoint: ['echo', 'entry'], Cmd: ['default'] } as never)
    const say = async (command: string[], args: string[]): Promise<string[]> => output('', { image: { image: 'berth.test/entry:1' }, command, args })
    expect(await say([], [])).toEqual(['entry default'])
    expect(await say([], ['given'])).toEqual(['entry given'])
    expect(await say(['echo', 'own'], [])).toEqual(['own'])
  })

  test('security settings reach the process', async () => {
    const status = (field: string): string => `grep ^${field}: /proc/self/status | cut -f2`
    expect(await output(`${status('NoNewPrivs')}; ${status('Seccomp')}`, { linux: { securityContext: { noNewPrivs: true, seccomp: { profileType: 'RuntimeDefault' } } } })).toEqual(['1', '2'])
    expect(await output(status('Seccomp'), { linux: { securityContext: { seccomp: { profileType: 'Unconfined' } } } })).toEqual(['0'])
    expect(await output(status('CapEff'), { linux: { securityContext: { capabilities: { dropCapabilities: ['ALL'], addCapabilities: ['NET_BIND_SERVICE'] } } } })).toEqual(['0000000000000400'])
    const everything = await output(status('CapEff'), { linux: { securityContext: { capabilities: { addCapabilities: ['ALL'] } } } })
    const oldest = (1n << 38n) - 1n
    expect(BigInt(`0x${everything[0]}`) & oldest).toBe(BigInt(`0x${/CapEff:\t(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`) & oldest)
    expect(await output('touch /x || echo readonly; head -c1 /proc/kcore | wc -c', { linux: { securityContext: { readonlyRootfs: true, maskedPaths: ['/proc/kcore'] } } })).toContain('readonly')
  })

  test('a seccomp profile of this machine is applied, and one that is missing refused', async () => {
    const profile = join(directory, 'seccomp.json')
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }] }))
    const seccomp = (localhostRef: string): Init<ContainerConfig> => ({ linux: { securityContext: { seccomp: { profileType: 'Localhost', localhostRef } } } })
    expect(await output('mkdir /tmp/x 2>/dev/null || echo refused', seccomp(profile))).toEqual(['refused'])
    await expect(run('true', seccomp('/no/such/profile'))).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringContaining('/no/such/profile') })
  })

  test('mounts are readable, writable and propagated as asked for, and a missing source is made', async () => {
    const source = join(directory, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'file'), 'from the host')
    const fresh = join(directory, 'fresh')
    const lines = await output('cat /ro/file; echo; touch /ro/x 2>/dev/null || echo readonly; echo written > /rw/file; ls -d /rw', {
      mounts: [
        { hostPath: source, containerPath: '/ro', readonly: true },
        { hostPath: fresh, containerPath: '/rw' },
      ],
    })
    expect(lines).toEqual(['from the host', 'readonly', '/rw'])
    expect(readFileSync(join(fresh, 'file'), 'utf8')).toBe('written\n')
    await expect(run('true', { mounts: [{ hostPath: 'relative', containerPath: '/x' }] })).rejects.toMatchObject({ code: 'InvalidArgument', message: 'mounts[0].host_path: "relative" is not absolute' })
    await expect(run('true', { mounts: [{ containerPath: '/x', image: { image: busybox } }] })).rejects.toMatchObject({ message: 'mounts[0].readonly: an image volume must be read-only' })
  })

  test('a mount that is made on the host later shows in a container that asked for it', async () => {
    const shared = join(directory, 'shared')
    mkdirSync(join(shared, 'inner'), { recursive: true })
    execFileSync('mount', ['--bind', shared, shared])
    try {
      execFileSync('mount', ['--make-rshared', shared])
      const id = await run('sleep 1000', { mounts: [{ hostPath: shared, containerPath: '/shared', propagation: 'PROPAGATION_HOST_TO_CONTAINER' }] })
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(shared, 'inner')])
      writeFileSync(join(shared, 'inner/seen'), 'yes')
      const { stdout } = await shim.client.execSync({ containerId: id, cmd: ['cat', '/shared/inner/seen'] })
      expect(Buffer.from(stdout).toString()).toBe('yes')
      await shim.client.removeContainer({ containerId: id })
    } finally {
      execFileSync('umount', ['-R', shared])
    }
  })

  test('resources become cgroup limits below the pod’s own cgroup, and can be changed', async () => {
    const id = await run('sleep 1000', { linux: { resources: { cpuShares: 512n, cpuQuota: 50_000n, cpuPeriod: 100_000n, memoryLimitInBytes: 64n * 1024n * 1024n, oomScoreAdj: 500n }, securityContext: { namespaceOptions: { pid: 'CONTAINER' } } } })
    const read = async (command: string): Promise<string> => Buffer.from((await shim.client.execSync({ containerId: id, cmd: ['sh', '-c', command] })).stdout).toString().trim()
    expect(await read('cat /proc/1/oom_score_adj')).toBe('500')
    expect(await read('cat /proc/1/cgroup')).toContain(`${pod.config.linux?.cgroupParent}/${id}`)
    const before = (await shim.client.containerStatus({ containerId: id })).status?.resources?.linux
    expect(before).toMatchObject({ cpuShares: 512n, cpuQuota: 50_000n, cpuPeriod: 100_000n, memoryLimitInBytes: 64n * 1024n * 1024n })
    await shim.client.updateContainerResources({ containerId: id, linux: { cpuShares: 256n, memoryLimitInBytes: 96n * 1024n * 1024n, oomScoreAdj: 700n } })
    expect(await read('cat /proc/1/oom_score_adj')).toBe('700')
    const after = (await shim.client.containerStatus({ containerId: id })).status?.resources?.linux
    expect(after).toMatchObject({ cpuShares: 256n, cpuQuota: 50_000n, memoryLimitInBytes: 96n * 1024n * 1024n })
  })

  test('a negative OOM score is raised to what the machine allows instead of failing', async () => {
    const id = await run('cat /proc/self/oom_score_adj', { linux: { resources: { oomScoreAdj: -998n } } })
    expect((await ended(shim, id)).exitCode).toBe(0)
  })

  test('what Docker or this machine cannot do is refused by name', async () => {
    const hasHugepages = existsSync('/sys/fs/cgroup/hugetlb') || (existsSync('/sys/fs/cgroup/cgroup.controllers') && readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').includes('hugetlb'))
    const huge = run('true', { linux: { resources: { hugepageLimits: [{ pageSize: '2MB', limit: 4n * 1024n * 1024n }] } } })
    if (hasHugepages) await huge
    else await expect(huge).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringContaining('resources.hugepage_limits') })
    const unified = run('true', { linux: { resources: { unified: { 'memory.high': '100000000' } } } })
    if (existsSync('/sys/fs/cgroup/cgroup.controllers')) await unified
    else await expect(unified).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringContaining('cgroup v1, which knows no memory.high') })
    const userns = { namespaceOptions: { usernsOptions: { mode: 'POD' as const, uids: [{ hostId: 1000, containerId: 0, length: 65536 }] } } }
    await expect(run('true', { linux: { securityContext: userns } })).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringContaining('no version of Docker has user namespaces of a pod') })
    expect(await output('echo fine', { linux: { resources: { hugepageLimits: [{ pageSize: '2MB', limit: 0n }] } } })).toEqual(['fine'])
  })

  test('supplemental groups are added to the image’s, or strictly those that the pod names, and the status tells them', async () => {
    const groups = async (fields: Init<LinuxContainerSecurityContext>): Promise<unknown[]> => {
      const id = await run('id -u; id -G', { linux: { securityContext: fields } })
      const { user } = await ended(shim, id)
      return [...logLines(readFileSync((await shim.client.containerStatus({ containerId: id })).status?.logPath ?? '', 'utf8')).map((line) => line.replace('stdout F ', '')), user?.linux]
    }
    const web = { runAsUser: { value: 1000n }, supplementalGroups: [1234n] }
    expect(await groups(web)).toEqual(['1000', '1000 1234 2000', { uid: 1000n, gid: 1000n, supplementalGroups: [1000n, 1234n, 2000n] }])
    expect(await groups({ ...web, supplementalGroupsPolicy: 'Strict' })).toEqual(['1000', '1000 1234', { uid: 1000n, gid: 1000n, supplementalGroups: [1000n, 1234n] }])
    expect(await groups({ runAsUsername: 'web', runAsGroup: { value: 7n } })).toEqual(['1000', '7 2000', { uid: 1000n, gid: 7n, supplementalGroups: [7n, 2000n] }])
  })

  test('a privileged container has all that this machine has to give', async () => {
    const lines = await output('grep ^CapEff /proc/self/status | cut -f2; touch /sys/x 2>&1; mkdir /tmp/m && mount -t tmpfs none /tmp/m && echo mounted; cat /proc/self/attr/current 2>/dev/null | head -c0; ls -l /dev/kmsg | cut -c1', {
      linux: { securityContext: { privileged: true } },
    })
    const machine = BigInt(`0x${/CapEff:\t(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`)
    const oldest = (1n << 38n) - 1n
    expect(BigInt(`0x${lines[0]}`) & oldest).toBe(machine & oldest)
    expect(lines.slice(1)).toEqual(['touch: /sys/x: Permission denied', 'mounted', 'c'])
  })

  test('an image can be a volume, read-only, whole or a folder of it, and is in use as long as its pod is', async () => {
    await importBusybox(shim.engine.docker, 'berth.test/volume:1')
    const { image } = await shim.client.imageStatus({ image: { image: 'berth.test/volume:1' } })
    const mount = (fields: object = {}): Init<ContainerConfig> => ({ mounts: [{ containerPath: '/v', readonly: true, image: { image: image?.id ?? '', userSpecifiedImage: 'berth.test/volume:1' }, ...fields }] })
    const other = await runPod(shim)
    const say = async (script: string, name: string, fields: Init<ContainerConfig>): Promise<{ lines: string[]; id: string }> => {
      const id = await runShell(shim, other, script, { metadata: { name }, logPath: `${name}/0.log`, ...fields })
      const { logPath } = await ended(shim, id)
      return { id, lines: logLines(readFileSync(logPath, 'utf8')).map((line) => line.replace('stdout F ', '')) }
    }
    const whole = await say('/v/bin/ls -d /v/bin/sh; touch /v/x 2>&1', 'whole', mount())
    expect(whole.lines).toEqual(['/v/bin/sh', 'touch: /v/x: Read-only file system'])
    expect((await shim.client.containerStatus({ containerId: whole.id })).status?.mounts[0]).toMatchObject({ containerPath: '/v', image: { image: image?.id, imageRef: image?.id } })
    expect((await say('ls /v', 'part', mount({ imageSubPath: 'etc' }))).lines).toEqual(['group', 'passwd'])
    const refused = async (name: string, fields: object, message: string): Promise<void> =>
      expect(createShell(shim, other, 'true', { metadata: { name }, ...mount(fields) })).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringContaining(message) })
    await refused('absent', { imageSubPath: 'nothing' }, 'mounts[0].image_sub_path: "nothing" does not exist in the image')
    await refused('outside', { imageSubPath: '../etc' }, 'mounts[0].image_sub_path')
    await refused('writable', { readonly: false }, 'mounts[0].readonly')
    await expect(shim.client.removeImage({ image: { image: 'berth.test/volume:1' } })).rejects.toMatchObject({ code: 'FailedPrecondition' })
    await shim.client.removePodSandbox({ podSandboxId: other.id })
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('berth-image')
    await shim.client.removeImage({ image: { image: 'berth.test/volume:1' } })
  })

  test('a container needs a sandbox that runs, and an image that is there', async () => {
    await expect(createShell(shim, { id: 'nowhere', config: pod.config }, 'true')).rejects.toMatchObject({ code: 'NotFound' })
    await expect(run('true', { image: { image: 'berth.test/absent:1' } })).rejects.toMatchObject({ code: 'NotFound', message: expect.stringContaining('berth.test/absent:1') })
  })

  test('containers are listed by sandbox, state, label and the beginning of their id', async () => {
    const other = await runPod(shim)
    const id = await runShell(shim, other, 'sleep 1000', { labels: { own: 'label' } })
    const list = async (filter: object): Promise<string[]> => (await shim.client.listContainers({ filter })).containers.map((container) => container.id)
    expect(await list({ podSandboxId: other.id })).toEqual([id])
    expect(await list({ labelSelector: { own: 'label' } })).toEqual([id])
    expect(await list({ id: id.slice(0, 13) })).toEqual([id])
    expect(await list({ podSandboxId: other.id, state: { state: 'CONTAINER_EXITED' } })).toEqual([])
    expect((await shim.client.containerStatus({ containerId: id.slice(0, 13) })).status?.id).toBe(id)
    expect(await list({})).not.toContain(other.id)
  })

  test('events tell of a sandbox’s and a container’s life, in its order', async () => {
    const controller = new AbortController()
    const seen: string[] = []
    const names = new Map<string, string>()
    const reading = (async () => {
      for await (const event of shim.client.getContainerEvents({}, { signal: controller.signal })) {
        seen.push(`${event.containerId} ${event.containerEventType.replace('CONTAINER_', '').replace('_EVENT', '')} ${event.podSandboxStatus?.id === event.containerId ? 'sandbox' : event.containersStatuses.length}`)
      }
    })().catch(() => {})
    // The stream has begun when an event of something else comes through.
    await until(async () => {
      await shim.client.removePodSandbox({ podSandboxId: (await runPod(shim)).id })
      return seen.length > 0
    }, 'events are read')
    const own = await runPod(shim)
    const id = await runShell(shim, own, 'exit 0')
    names.set(own.id, 'pod').set(id, 'container')
    await ended(shim, id)
    await shim.client.removePodSandbox({ podSandboxId: own.id })
    await until(() => seen.some((line) => line.startsWith(`${own.id} DELETED`)), 'the sandbox’s end is told')
    controller.abort()
    await reading
    const told = seen.filter((line) => line.startsWith(id) || line.startsWith(own.id)).map((line) => line.replace(/^\S+/, (word) => names.get(word) ?? word))
    expect(told.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'pod CREATED',
      'pod STARTED',
      'container CREATED',
      'container STARTED',
      'container STOPPED',
      'pod STOPPED',
      'container DELETED',
      'pod DELETED',
    ])
  })

  test('statistics come from the container’s and the pod’s cgroups and its network', async () => {
    const own = await runPod(shim)
    const id = await runShell(shim, own, 'head -c 3000000 /dev/zero > /tmp/file; while :; do :; done')
    await until(async () => (await shim.client.execSync({ containerId: id, cmd: ['sh', '-c', '[ $(stat -c %s /tmp/file) = 3000000 ]'] })).exitCode === 0, 'the file is written')
    await until(async () => ((await shim.client.containerStats({ containerId: id })).stats?.writableLayer?.usedBytes?.value ?? 0n) >= 3_000_000n, 'the writable layer was measured')
    const { stats } = await shim.client.containerStats({ containerId: id })
    expect(stats?.attributes).toMatchObject({ id, metadata: { name: 'main' } })
    expect(stats?.cpu?.usageCoreNanoSeconds?.value).toBeGreaterThan(0n)
    expect(stats?.memory?.workingSetBytes?.value).toBeGreaterThan(0n)
    const podStats = (await shim.client.podSandboxStats({ podSandboxId: own.id })).stats
    expect(podStats?.linux?.cpu?.usageCoreNanoSeconds?.value).toBeGreaterThanOrEqual(stats?.cpu?.usageCoreNanoSeconds?.value ?? 0n)
    expect(podStats?.linux?.network?.defaultInterface).toMatchObject({ name: 'eth0' })
    expect(podStats?.linux?.process?.processCount?.value).toBeGreaterThanOrEqual(2n)
    expect(podStats?.linux?.containers.map(({ attributes }) => attributes?.id)).toEqual([id])
    expect((await shim.client.listContainerStats({ filter: { podSandboxId: own.id } })).stats).toHaveLength(1)
    expect((await shim.client.listPodSandboxStats({ filter: { id: own.id } })).stats).toHaveLength(1)
    await shim.client.removePodSandbox({ podSandboxId: own.id })
    expect(existsSync(`/sys/fs/cgroup/memory${own.config.linux?.cgroupParent}/${id}`)).toBe(false)
  })
})
