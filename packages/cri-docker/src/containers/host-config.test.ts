import { codecOf, type ContainerConfig, type Init, type LinuxContainerResources, type LinuxContainerSecurityContext, type Mount } from '@berth/cri'
import { describe, expect, test } from 'vitest'
import { cdiRequests } from './devices.ts'
import { dockerMounts } from './mounts.ts'
import { containerNamespaces, sandboxNamespaces } from './namespaces.ts'
import { dockerResources } from './resources.ts'
import { privilegesOf } from './privileged.ts'
import { securityOptions } from './security.ts'
import { stopSignal } from './signals.ts'

/** A message as it comes over the wire: whole, with defaults. */
const whole = <T>(name: string, fields: object): T => codecOf(name).decode(codecOf(name).encode(fields)) as T

const files = { resolvConf: '/s/resolv.conf', hosts: '/s/hosts' }
const engine = (api: number): { speaks(version: string): boolean; version: string } => ({ speaks: (version) => Number(version.slice(2)) <= api, version: 'x' })
const mountsOf = (mounts: Init<Mount>[], api = 41): ReturnType<typeof dockerMounts> => dockerMounts(whole<ContainerConfig>('ContainerConfig', { mounts }), files, engine(api))

describe('mounts', () => {
  test('end with the sandbox’s resolv.conf and hosts where the pod does not mount its own', () => {
    expect(mountsOf([{ hostPath: '/h', containerPath: '/etc/hosts' }]).map(({ Source, Target }) => [Source, Target])).toEqual([
      ['/h', '/etc/hosts'],
      ['/s/resolv.conf', '/etc/resolv.conf'],
    ])
  })

  test.each([
    [{ propagation: 'PROPAGATION_PRIVATE' as const }, { ReadOnly: false, BindOptions: {} }],
    [{ propagation: 'PROPAGATION_HOST_TO_CONTAINER' as const, readonly: true }, { ReadOnly: true, BindOptions: { Propagation: 'rslave', ReadOnlyNonRecursive: true } }],
    [{ propagation: 'PROPAGATION_BIDIRECTIONAL' as const }, { ReadOnly: false, BindOptions: { Propagation: 'rshared' } }],
    [{ readonly: true, recursiveReadOnly: true }, { ReadOnly: true, BindOptions: { Propagation: 'rprivate', ReadOnlyForceRecursive: true } }],
  ])('%o becomes %o on Docker 25', (mount, expected) => {
    expect(mountsOf([{ hostPath: '/a', containerPath: '/b', ...mount }], 44)[0]).toEqual({ Type: 'bind', Source: '/a', Target: '/b', ...expected })
  })

  test('that are read-only leave out on Docker 20.10 what it does not know', () => {
    expect(mountsOf([{ hostPath: '/a', containerPath: '/b', readonly: true }])[0]?.BindOptions).toEqual({})
  })

  test.each([
    [{ hostPath: '/a', containerPath: 'b' }, 'mounts[0].container_path: "b" is not absolute'],
    [{ hostPath: '/a', containerPath: '/b', readonly: true, recursiveReadOnly: true }, 'mounts[0].recursive_read_only: needs Docker 25, this is x'],
    [{ hostPath: '/a', containerPath: '/b', recursiveReadOnly: true }, 'mounts[0].recursive_read_only: needs readonly and private propagation'],
    [{ hostPath: '/a', containerPath: '/b', uidMappings: [{ length: 1 }] }, 'mounts[0].uidMappings: no version of Docker has id-mapped mounts'],
  ])('%o is refused', (mount, message) => {
    expect(() => mountsOf([mount])).toThrow(message)
  })
})

test('an image volume is the Engine’s own mount where it has them, and else one of the directory where the shim has mounted the image', () => {
  const config = whole<ContainerConfig>('ContainerConfig', { mounts: [{ containerPath: '/v', readonly: true, image: { image: 'x' }, imageSubPath: 'etc' }] })
  const mounted = (source: Parameters<typeof dockerMounts>[3]): unknown => dockerMounts(config, files, engine(48), source)[0]
  expect(mounted(new Map([[0, { kind: 'image', image: 'x', subPath: 'etc' }]]))).toEqual({ Type: 'image', Source: 'x', Target: '/v', ReadOnly: true, ImageOptions: { Subpath: 'etc' } })
  expect(mounted(new Map([[0, { kind: 'directory', directory: '/s/images/1/etc' }]]))).toEqual({ Type: 'bind', Source: '/s/images/1/etc', Target: '/v', ReadOnly: true, BindOptions: { Propagation: 'rprivate' } })
})

describe('namespaces', () => {
  const modes = { network: 'POD' as const, pid: 'POD' as const, ipc: 'POD' as const, targetId: '' }
  test.each([
    [{}, { NetworkMode: 'container:s', PidMode: 'container:s', IpcMode: 'container:s' }],
    [{ pid: 'CONTAINER' as const }, { NetworkMode: 'container:s', PidMode: '', IpcMode: 'container:s' }],
    [{ pid: 'TARGET' as const, targetId: 't' }, { NetworkMode: 'container:s', PidMode: 'container:t', IpcMode: 'container:s' }],
    [{ network: 'NODE' as const, pid: 'NODE' as const, ipc: 'NODE' as const }, { NetworkMode: 'container:anchor', PidMode: 'host', IpcMode: 'host' }],
  ])('of a container with %o', (changed, expected) => {
    expect(containerNamespaces({ ...modes, ...changed }, 's', 'container:anchor')).toEqual(expected)
  })

  test('of a sandbox, which others join', () => {
    expect(sandboxNamespaces(undefined, 'host')).toEqual({ NetworkMode: 'none', PidMode: '', IpcMode: 'shareable' })
    expect(sandboxNamespaces({ network: 'NODE', pid: 'NODE', ipc: 'NODE' }, 'host')).toEqual({ NetworkMode: 'host', PidMode: 'host', IpcMode: 'host' })
  })

  test('of a target that is not named are refused', () => {
    expect(() => containerNamespaces({ ...modes, pid: 'TARGET' }, 's', 'host')).toThrow('target_id: is required with TARGET')
  })
})

describe('resources', () => {
  const resourcesOf = (fields: Init<LinuxContainerResources>): object => dockerResources(whole('LinuxContainerResources', fields))
  test('leave out what is not said, and give no swap beyond the memory', () => {
    expect(resourcesOf({})).toEqual({})
    expect(resourcesOf({ memoryLimitInBytes: 1024n })).toEqual({ Memory: 1024, MemorySwap: 1024 })
    expect(resourcesOf({ cpuShares: 2n, cpuQuota: -1n, cpuPeriod: 100_000n, cpusetCpus: '0-1', cpusetMems: '0', memoryLimitInBytes: 1n, memorySwapLimitInBytes: 3n })).toEqual({
      CpuShares: 2,
      CpuQuota: -1,
      CpuPeriod: 100_000,
      CpusetCpus: '0-1',
      CpusetMems: '0',
      Memory: 1,
      MemorySwap: 3,
    })
  })
})

describe('security options', () => {
  const optionsOf = (fields: Init<LinuxContainerSecurityContext>): Promise<string[]> =>
    securityOptions(whole<LinuxContainerSecurityContext>('LinuxContainerSecurityContext', fields), async (path) => {
      if (path === '/p') return '{ "defaultAction": "SCMP_ACT_ALLOW" }'
      throw new Error('no such file')
    })

  test.each([
    [{}, ['seccomp=unconfined']],
    [{ seccomp: { profileType: 'RuntimeDefault' as const } }, []],
    [{ seccomp: { profileType: 'Localhost' as const, localhostRef: '/p' } }, ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']],
    [{ seccompProfilePath: 'runtime/default', noNewPrivs: true }, ['no-new-privileges']],
    [{ privileged: true }, []],
    [{ seccomp: { profileType: 'RuntimeDefault' as const }, apparmor: { profileType: 'Localhost' as const, localhostRef: 'mine' } }, ['apparmor=mine']],
    [{ seccomp: { profileType: 'RuntimeDefault' as const }, apparmorProfile: 'unconfined', selinuxOptions: { level: 's0:c1' } }, ['apparmor=unconfined', 'label=level:s0:c1']],
  ])('of %o are %j', async (fields, expected) => {
    expect(await optionsOf(fields)).toEqual(expected)
  })

  test('name the profile that cannot be used', async () => {
    await expect(optionsOf({ seccomp: { profileType: 'Localhost', localhostRef: '/q' } })).rejects.toThrow('security_context.seccomp.localhost_ref: cannot use "/q": no such file')
    await expect(optionsOf({ seccompProfilePath: 'odd' })).rejects.toThrow('security_context.seccomp_profile_path: unknown profile "odd"')
  })
})

test('privileged is Docker’s own where the machine has all capabilities, and else put together out of what it has', async () => {
  const all = (1n << 41n) - 1n
  expect(await privilegesOf(all, engine(44))).toEqual({ host: { Privileged: true }, mounts: [] })
  const { host, mounts } = await privilegesOf(all & ~(1n << 24n), engine(44))
  expect(host).toMatchObject({ Privileged: false, DeviceCgroupRules: ['a *:* rwm'], MaskedPaths: [], ReadonlyPaths: [] })
  expect(host.CapAdd).toHaveLength(40)
  expect(host.CapAdd).not.toContain('SYS_RESOURCE')
  expect(host.SecurityOpt).toContain('seccomp=unconfined')
  expect(mounts).toMatchObject([{ Source: '/sys', Target: '/sys', ReadOnly: false }])
})

test('CDI devices are Docker’s device requests from 25 on, and refused by name before', () => {
  const config = { CDIDevices: [{ name: 'vendor.com/gpu=0' }] }
  expect(cdiRequests(config, engine(44))).toEqual({ DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['vendor.com/gpu=0'] }] })
  expect(cdiRequests({ CDIDevices: [] }, engine(41))).toEqual({})
  expect(() => cdiRequests(config, engine(43))).toThrow('CDI_devices: vendor.com/gpu=0 need Docker 25, this is x')
})

test('signals are named as Docker names them', () => {
  expect([stopSignal('SIGTERM'), stopSignal('SIGRTMINPLUS3'), stopSignal('SIGRTMAXMINUS2')]).toEqual(['SIGTERM', 'SIGRTMIN+3', 'SIGRTMAX-2'])
})
