// Runs kubernetes-sigs/cri-tools' critest against berth cri-docker on an Engine of its own:
//   node hack/run.mjs node hack/critest/main.ts [CRITEST FLAG...]
// Everything happens in a network namespace of its own; nothing of this machine's Docker or firewall is touched.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { createCriClient } from '../../packages/cri/src/index.ts'
import { engineMissing, startEngine, until } from '../../packages/cri-docker/test/support/engine.ts'
import { imagesFile, makeImages, pushImages } from './images.ts'
import { readReport, renderReport } from './report.ts'
import { servedHosts, startProxy, startRegistry } from './registry.ts'

/** What is left out, each with its reason: the page docs/cri-docker.md says more. */
const leftOut = ['public image with digest should be pulled and removed']

function find(...names: string[]): string | undefined {
  const folders = [process.env['KUBEBUILDER_ASSETS'] ?? '', '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path))
}

const critest = find('critest')
const registryProgram = find('docker-registry', 'registry')
const missing = engineMissing() || (critest === undefined ? 'needs critest (kubernetes-sigs/cri-tools) on PATH' : registryProgram === undefined ? 'needs docker-registry' : '')
if (missing !== '' || critest === undefined || registryProgram === undefined) {
  console.log(`critest is skipped: ${missing}`)
  process.exit(0)
}
const prepared = process.env['BERTH_CRITEST_IMAGES']
if (prepared === undefined) {
  const directory = mkdtempSync(join(tmpdir(), 'berth-critest-'))
  makeImages(directory)
  // Host ports, bridges and NAT rules of the specs stay in a namespace that ends with the inner process.
  const inner = spawn('unshare', ['--net', process.execPath, import.meta.filename, ...process.argv.slice(2)], { stdio: 'inherit', env: { ...process.env, BERTH_CRITEST_IMAGES: directory } })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => inner.kill(signal))
  inner.on('exit', (code) => {
    rmSync(directory, { recursive: true, force: true })
    process.exit(code ?? 1)
  })
} else process.exitCode = await run(critest, registryProgram, prepared)

async function run(program: string, registryPath: string, images: string): Promise<number> {
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
  const registryPort = 5000
  const proxy = await startProxy(`127.0.0.1:${registryPort}`)
  const engine = await startEngine({ configuration: { 'insecure-registries': servedHosts }, environment: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1' } })
  const { directory } = engine
  const registry = await startRegistry(registryPath, directory, registryPort)
  let shim: ReturnType<typeof startShim> | undefined
  let interrupted = false
  process.once('SIGINT', () => (interrupted = true))
  try {
    await pushImages(engine, images, registry.host, (line) => console.error(line))
    shim = startShim(directory, engine.socket)
    const endpoint = `unix://${join(directory, 'cri.sock')}`
    const client = createCriClient(endpoint)
    await until(() => client.version({}).then(() => true, () => false), 'the shim answers')
    client.close()
    writeFileSync(join(directory, 'images.yaml'), JSON.stringify(imagesFile))
    const report = join(directory, 'report.json')
    const focus = process.argv.slice(2)
    const options = [`--runtime-endpoint=${endpoint}`, `--image-endpoint=${endpoint}`, `--test-images-file=${join(directory, 'images.yaml')}`, `--ginkgo.json-report=${report}`, '--ginkgo.timeout=1h']
    const specs = spawn(program, [...options, ...leftOut.map((name) => `--ginkgo.skip=${name}`), ...focus], { stdio: ['ignore', 'inherit', 'inherit'], cwd: directory })
    const status = await new Promise<number | null>((done) => specs.once('exit', done))
    if (existsSync(report)) console.log(renderReport(readReport(report)))
    return interrupted ? 130 : (status ?? 1)
  } finally {
    if (shim) await end(shim)
    await end(registry.process)
    proxy.server.close()
    proxy.server.closeAllConnections()
    await engine.stop()
  }
}

function startShim(directory: string, socket: string): ReturnType<typeof spawn> {
  const conf = join(directory, 'cni')
  mkdirSync(conf)
  const bridge = { type: 'bridge', bridge: 'critest0', isGateway: true, ipMasq: true, hairpinMode: true, ipam: { type: 'host-local', subnet: '10.88.0.0/16', routes: [{ dst: '0.0.0.0/0' }], dataDir: join(directory, 'ipam') } }
  writeFileSync(join(conf, '10-critest.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: 'critest', plugins: [bridge, { type: 'portmap', capabilities: { portMappings: true } }, { type: 'bandwidth', capabilities: { bandwidth: true } }] }))
  const launcher = resolve(import.meta.dirname, '../../packages/berth/bin/berth.js')
  const flags = ['--docker-host', `unix://${socket}`, '--container-runtime-endpoint', `unix://${join(directory, 'cri.sock')}`, '--cni-conf-dir', conf, '--cni-bin-dir', '/usr/lib/cni']
  return spawn(process.execPath, [launcher, 'cri-docker', ...flags, '--cni-cache-dir', join(directory, 'cni-cache'), '--root-dir', join(directory, 'cri-docker'), '--metrics-bind-address', ''], { stdio: ['ignore', 'inherit', 'inherit'] })
}

function end(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done()
    child.once('exit', () => done())
    child.kill('SIGTERM')
  })
}
