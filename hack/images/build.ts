// Builds Berth's container image out of Debian packages, the Node that the workspace pins, and the bundle.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { makeRootfs } from '../guestbook/rootfs.ts'
import { imageOf, writeArchive, type Image } from './image.ts'
import { layerOf, type Layer } from './layer.ts'
import { push } from './push.ts'

const root = path.resolve(import.meta.dirname, '../..')
const berth = path.join(root, 'packages/berth')
const { version } = JSON.parse(fs.readFileSync(path.join(berth, 'package.json'), 'utf8')) as { version: string }

const usage = `Usage: node hack/run.mjs node hack/images/build.ts [flags]

  --tag NAME:TAG       the image's name in the archive (berth.local/berth:${version})
  --output FILE        write an archive for docker load, ctr images import or berth image load
  --push REF           push to REGISTRY[:PORT]/NAME:TAG; $REGISTRY_USER and $REGISTRY_PASSWORD where it asks for them
  --digest             print the digest alone
`

/** The user in the image: the number that distroless images made customary. */
const user = 65532

/** What Node is linked against, and the roots of trust for those who ask Node to use the system's. */
const packages = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1', 'ca-certificates']

/** Parts of these packages that nothing in the image reads. */
const unneeded = ['usr/share', 'usr/sbin', 'usr/lib/x86_64-linux-gnu/gconv', 'usr/lib/aarch64-linux-gnu/gconv', 'usr/lib/x86_64-linux-gnu/audit', 'usr/lib/aarch64-linux-gnu/audit', 'etc/ca-certificates', 'etc/ld.so.conf.d']

function systemRoot(directory: string): void {
  makeRootfs(packages, directory)
  const authorities = path.join(directory, 'usr/share/ca-certificates/mozilla')
  const bundle = fs.readdirSync(authorities).sort().map((name) => fs.readFileSync(path.join(authorities, name), 'utf8').trimEnd()).join('\n')
  for (const folder of unneeded) fs.rmSync(path.join(directory, folder), { recursive: true, force: true })
  const write = (name: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true })
    fs.writeFileSync(path.join(directory, name), text, { mode: 0o644 })
  }
  write('etc/ssl/certs/ca-certificates.crt', `${bundle}\n`)
  write('etc/passwd', `root:x:0:0:root:/:/nologin\nnonroot:x:${user}:${user}:nonroot:/:/nologin\n`)
  write('etc/group', `root:x:0:\nnonroot:x:${user}:\n`)
  write('etc/nsswitch.conf', 'hosts: files dns\n')
}

function nodeRoot(directory: string): void {
  const pinned = path.join(berth, 'node_modules', `node-linux-${process.arch}`)
  const target = path.join(directory, 'usr/local/bin/node')
  fs.mkdirSync(path.dirname(target), { recursive: true })
  fs.copyFileSync(path.join(pinned, 'bin/node'), target)
  fs.chmodSync(target, 0o755)
  const stripped = spawnSync('strip', ['--strip-all', target], { encoding: 'utf8' })
  if (stripped.status !== 0) throw new Error(`strip (Debian package binutils): ${stripped.error?.message ?? stripped.stderr}`)
  const license = path.join(pinned, 'LICENSE')
  if (fs.existsSync(license)) {
    fs.mkdirSync(path.join(directory, 'usr/local/share/doc/node'), { recursive: true })
    fs.copyFileSync(license, path.join(directory, 'usr/local/share/doc/node/LICENSE'))
  }
}

function berthRoot(directory: string): void {
  const dist = path.join(berth, 'dist')
  if (!fs.existsSync(path.join(dist, 'berth.js'))) throw new Error('there is no bundle; run npm run build first')
  const target = path.join(directory, 'opt/berth')
  fs.cpSync(dist, path.join(target, 'dist'), { recursive: true })
  fs.mkdirSync(path.join(target, 'build'), { recursive: true })
  fs.copyFileSync(path.join(berth, 'build/berth-native'), path.join(target, 'build/berth-native'))
  fs.copyFileSync(path.join(berth, 'package.json'), path.join(target, 'package.json'))
  fs.copyFileSync(path.join(root, 'LICENSE'), path.join(target, 'LICENSE'))
}

async function layer(make: (directory: string) => void): Promise<Layer> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-layer-'))
  try {
    make(directory)
    return await layerOf(directory)
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** What changes least comes first, so that a new version of Berth is one small layer. */
async function buildImage(): Promise<Image> {
  const layers: Layer[] = []
  for (const make of [systemRoot, nodeRoot, berthRoot]) layers.push(await layer(make))
  return imageOf(layers, {
    User: `${user}:${user}`,
    Entrypoint: ['/usr/local/bin/node', '--disable-warning=ExperimentalWarning', '/opt/berth/dist/berth.js'],
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
    WorkingDir: '/',
    Labels: { 'org.opencontainers.image.title': 'berth', 'org.opencontainers.image.version': version, 'org.opencontainers.image.licenses': 'Apache-2.0' },
  }, process.arch === 'x64' ? 'amd64' : process.arch)
}

const { values } = parseArgs({ options: { tag: { type: 'string', default: `berth.local/berth:${version}` }, output: { type: 'string' }, push: { type: 'string' }, digest: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
if (values.help) {
  process.stdout.write(usage)
} else {
  const image = await buildImage()
  if (values.output !== undefined) await writeArchive(image, values.tag, values.output)
  if (values.push !== undefined) await push(image, values.push)
  const megabytes = (image.layers.reduce((sum, each) => sum + each.bytes.length, 0) / 1e6).toFixed(1)
  console.log(values.digest ? image.digest : `${image.digest}  ${megabytes} MB in ${image.layers.length} layers (${image.layers.map((each) => `${(each.bytes.length / 1e6).toFixed(1)}`).join(', ')})`)
}
