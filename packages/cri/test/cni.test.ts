import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCniRunner, loadCniConfig, parseCniConfig } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-cni-'))
const binDir = join(directory, 'bin')
const cacheDirectory = join(directory, 'cache')
const callLog = join(directory, 'calls')

/** A plugin that writes down how it was called and answers as told by its own configuration. */
const recorder = `#!${process.execPath}
const input = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const { CNI_COMMAND, CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_ARGS } = process.env
require('fs').appendFileSync(${JSON.stringify(callLog)}, JSON.stringify({ type: input.tag, CNI_COMMAND, CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_ARGS, runtimeConfig: input.runtimeConfig, prevResult: input.prevResult, valid: input['cni.dev/valid-attachments'] }) + '\\n')
if (input.fail === CNI_COMMAND) { console.log(JSON.stringify({ cniVersion: '1.0.0', code: 11, msg: 'not now', details: 'later' })); process.exit(1) }
if (input.crash) { console.error('boom'); process.exit(3) }
if (CNI_COMMAND === 'ADD') console.log(JSON.stringify({ cniVersion: '1.0.0', ips: [...(input.prevResult?.ips ?? []), { address: input.address }] }))
`

interface Call {
  type: string
  CNI_COMMAND: string
  [key: string]: unknown
}

const calls = (): Call[] =>
  readFileSync(callLog, 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Call)

const network = (fields: object, first: object = {}): ReturnType<typeof parseCniConfig> =>
  parseCniConfig(
    JSON.stringify({
      cniVersion: '1.0.0',
      name: 'pods',
      plugins: [
        { type: 'recorder', tag: 'one', address: '10.0.0.2/24', ...first },
        { type: 'recorder', tag: 'two', address: '10.0.0.3/24', capabilities: { portMappings: true } },
      ],
      ...fields,
    }),
  )

const attachment = {
  containerId: 'c0ffee',
  netns: '/proc/1/ns/net',
  ifName: 'eth0',
  args: [['IgnoreUnknown', '1'], ['K8S_POD_NAME', 'web']] as const,
  capabilityArgs: { portMappings: [{ hostPort: 8080 }] },
}
const cacheFile = join(cacheDirectory, 'results', 'pods-c0ffee-eth0')

beforeEach(() => {
  mkdirSync(binDir, { recursive: true })
  writeFileSync(join(binDir, 'recorder'), recorder)
  chmodSync(join(binDir, 'recorder'), 0o755)
  writeFileSync(callLog, '')
})
afterEach(() => rmSync(cacheDirectory, { recursive: true, force: true }))
afterAll(() => rmSync(directory, { recursive: true }))

describe('the CNI runner', () => {
  const runner = createCniRunner({ binDirs: [join(directory, 'nowhere'), binDir], cacheDirectory })

  test('chains ADD through the plugins with the environment, arguments and results of the specification', async () => {
    const result = await runner.add(network({}), attachment)
    expect(result.ips).toEqual([{ address: '10.0.0.2/24' }, { address: '10.0.0.3/24' }])
    const environment = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c0ffee', CNI_NETNS: '/proc/1/ns/net', CNI_IFNAME: 'eth0', CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web' }
    expect(calls()).toEqual([
      { type: 'one', ...environment },
      { type: 'two', ...environment, runtimeConfig: { portMappings: [{ hostPort: 8080 }] }, prevResult: { cniVersion: '1.0.0', ips: [{ address: '10.0.0.2/24' }] } },
    ])
  })

  test('keeps the result as libcni does and forgets it after DEL, which goes the other way round', async () => {
    const list = network({})
    await runner.add(list, attachment)
    const cached = JSON.parse(readFileSync(cacheFile, 'utf8')) as Record<string, unknown>
    expect(cached).toMatchObject({ kind: 'cniCacheV1', containerId: 'c0ffee', ifName: 'eth0', networkName: 'pods', netns: '/proc/1/ns/net', cniArgs: [['IgnoreUnknown', '1'], ['K8S_POD_NAME', 'web']] })
    expect(Buffer.from(cached['config'] as string, 'base64').toString()).toBe(list.source)
    expect(await runner.cachedResult(list, attachment)).toEqual(cached['result'])
    await runner.del(list, attachment)
    expect(calls().slice(2).map(({ type, CNI_COMMAND, prevResult }) => [type, CNI_COMMAND, prevResult])).toEqual([
      ['two', 'DEL', cached['result']],
      ['one', 'DEL', cached['result']],
    ])
    expect(existsSync(cacheFile)).toBe(false)
  })

  test('takes down what the cache knows, with the configuration it was made with', async () => {
    await runner.add(network({}), attachment)
    expect(await runner.delCached('c0ffee', '')).toBe(1)
    expect(calls().at(-1)).toMatchObject({ type: 'one', CNI_COMMAND: 'DEL', CNI_NETNS: '', CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web' })
    expect(await runner.delCached('c0ffee', '')).toBe(0)
  })

  test("gives a plugin's own error with its code, and keeps no result", async () => {
    await expect(runner.add(network({}, { fail: 'ADD' }), attachment)).rejects.toMatchObject({
      name: 'CniError',
      code: 11,
      message: 'plugin type="recorder" failed (add): not now; later',
    })
    expect(existsSync(cacheFile)).toBe(false)
  })

  test('keeps the cached result when DEL fails, so that it can be called again', async () => {
    await runner.add(network({}), attachment)
    await expect(runner.del(network({}, { fail: 'DEL' }), attachment)).rejects.toMatchObject({ code: 11 })
    expect(existsSync(cacheFile)).toBe(true)
  })

  test('says what a plugin that crashed has printed', async () => {
    await expect(runner.add(network({}, { crash: true }), attachment)).rejects.toThrow('plugin type="recorder" failed (add): netplugin failed (exit status 3): "boom"')
  })

  test('names the plugin and the directories when there is no such plugin', async () => {
    await expect(runner.add(network({ plugins: [{ type: 'missing' }] }), attachment)).rejects.toThrow(`failed to find plugin "missing" in path [${directory}/nowhere ${binDir}]`)
  })

  test('checks with the cached result, and not at all where the list disables it', async () => {
    await expect(runner.check(network({}), attachment)).rejects.toMatchObject({ code: 3 })
    await runner.add(network({}), attachment)
    writeFileSync(callLog, '')
    await runner.check(network({ disableCheck: true }), attachment)
    expect(calls()).toEqual([])
    await runner.check(network({}), attachment)
    expect(calls().map(({ type, CNI_COMMAND }) => [type, CNI_COMMAND])).toEqual([['one', 'CHECK'], ['two', 'CHECK']])
  })

  test.each([
    [{ containerId: '../x' }, 'containerId: "../x"'],
    [{ ifName: 'a/b' }, 'ifName: "a/b"'],
    [{ ifName: 'sixteen-letters-' }, 'ifName: "sixteen-letters-"'],
    [{ args: [['K8S_POD_NAME', 'a;CNI_X=y']] as const }, 'args: K8S_POD_NAME'],
  ])('refuses %o', async (fields, message) => {
    await expect(runner.add(network({}), { ...attachment, ...fields })).rejects.toThrow(message)
    expect(calls()).toEqual([])
  })

  test('tells every plugin of a 1.1 network which attachments are valid, also when one of them fails, and none where that is disabled', async () => {
    const runner = createCniRunner({ binDirs: [binDir], cacheDirectory })
    const modern = { cniVersion: '1.1.0' }
    await expect(runner.gc(network(modern, { fail: 'GC' }), [{ containerId: 'a', ifName: 'eth0' }])).rejects.toMatchObject({ code: 11 })
    expect(calls().map(({ type, CNI_COMMAND, valid }) => [type, CNI_COMMAND, valid])).toEqual([
      ['one', 'GC', [{ containerID: 'a', ifname: 'eth0' }]],
      ['two', 'GC', [{ containerID: 'a', ifname: 'eth0' }]],
    ])
    await runner.gc(network({ ...modern, disableGC: true }), [])
    await runner.gc(network({}), [])
    expect(calls()).toHaveLength(2)
  })

  test('knows every attachment that is kept, and passes over files that are damaged', async () => {
    const runner = createCniRunner({ binDirs: [binDir], cacheDirectory })
    await runner.add(network({}), attachment)
    writeFileSync(join(cacheDirectory, 'results', 'pods-broken-eth0'), 'no JSON')
    expect(await runner.cached()).toEqual([{ networkName: 'pods', containerId: 'c0ffee', ifName: 'eth0', netns: '/proc/1/ns/net' }])
  })

  test('kills a plugin when it is told to stop', async () => {
    writeFileSync(join(binDir, 'recorder'), '#!/bin/sh\nexec sleep 1000\n')
    const controller = new AbortController()
    const adding = runner.add(network({}), attachment, controller.signal)
    setTimeout(() => controller.abort(), 50)
    await expect(adding).rejects.toMatchObject({ name: 'CniError' })
  })
})

describe('the configuration directory', () => {
  const confDir = join(directory, 'conf')
  beforeEach(() => mkdirSync(confDir, { recursive: true }))
  afterEach(() => rmSync(confDir, { recursive: true, force: true }))

  test('gives its first valid network and passes over what is broken', async () => {
    writeFileSync(join(confDir, '05-broken.conflist'), '{')
    writeFileSync(join(confDir, '00-readme.txt'), 'x')
    writeFileSync(join(confDir, '10-a.conflist'), '{"cniVersion":"1.0.0","name":"a","plugins":[{"type":"x"}]}')
    writeFileSync(join(confDir, '20-b.conf'), '{"cniVersion":"1.0.0","name":"b","type":"x"}')
    expect(await loadCniConfig(confDir)).toMatchObject({ network: { name: 'a' }, file: join(confDir, '10-a.conflist') })
  })

  test('says why it has none', async () => {
    expect(await loadCniConfig(join(directory, 'none'))).toEqual({ network: undefined, reason: `no networks found in ${directory}/none` })
    writeFileSync(join(confDir, '05-broken.conflist'), '[]')
    expect(await loadCniConfig(confDir)).toEqual({
      network: undefined,
      reason: `no valid networks found in ${confDir}: ${confDir}/05-broken.conflist: CNI configuration is not a JSON object`,
    })
  })
})

const realPlugins = '/usr/lib/cni'
const realReason = existsSync(join(realPlugins, 'bridge')) && process.getuid?.() === 0 ? '' : `needs root and ${realPlugins}/bridge`

describe.skipIf(realReason !== '')(`real plugins${realReason && ` (skipped: ${realReason})`}`, () => {
  const name = `berthcni${process.pid}`
  afterEach(() => {
    execFileSync('ip', ['netns', 'del', name])
    execFileSync('ip', ['link', 'del', `br${process.pid}`])
  })

  test('attach a namespace to a bridge and detach it', async () => {
    execFileSync('ip', ['netns', 'add', name])
    const runner = createCniRunner({ binDirs: [realPlugins], cacheDirectory })
    const list = parseCniConfig(
      JSON.stringify({
        cniVersion: '1.0.0',
        name: 'real',
        plugins: [{ type: 'bridge', bridge: `br${process.pid}`, ipam: { type: 'host-local', subnet: '10.199.7.0/24', dataDir: join(directory, 'ipam') } }],
      }),
    )
    const real = { containerId: 'real', netns: `/run/netns/${name}`, ifName: 'eth0' }
    const result = await runner.add(list, real)
    expect(result.ips?.[0]?.address).toMatch(/^10\.199\.7\.\d+\/24$/)
    expect(execFileSync('ip', ['netns', 'exec', name, 'ip', '-4', 'addr', 'show', 'eth0']).toString()).toContain(result.ips?.[0]?.address)
    await runner.check(list, real)
    await runner.del(list, real)
    expect(execFileSync('ip', ['netns', 'exec', name, 'ip', 'link']).toString()).not.toContain('eth0')
    await runner.del(list, real)
  })
})
