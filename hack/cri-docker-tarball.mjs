// Makes the archive that installs berth cri-docker on an existing node: node hack/run.mjs node hack/cri-docker-tarball.mjs OUTPUT.tar.gz
// Unpacked at /, it is /opt/berth (Node, the bundle, the native program, docs), the systemd unit and its flags' file.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const [output] = process.argv.slice(2)
if (!output) {
  console.error('usage: node hack/run.mjs node hack/cri-docker-tarball.mjs OUTPUT.tar.gz')
  process.exit(2)
}
const berth = path.join(root, 'packages/berth')
if (!fs.existsSync(path.join(berth, 'dist/berth.js'))) {
  console.error('there is no bundle; run npm run build first')
  process.exit(1)
}
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-tarball-'))
const put = (from, to, mode = 0o644) => {
  const target = path.join(directory, to)
  fs.mkdirSync(path.dirname(target), { recursive: true })
  fs.cpSync(from, target, { recursive: true })
  if (fs.statSync(target).isFile()) fs.chmodSync(target, mode)
}
try {
  const node = path.join(path.dirname(createRequire(path.join(berth, 'package.json')).resolve(`node-linux-${process.arch}/package.json`)), 'bin/node')
  const files = path.join(root, 'packages/cri-docker/dist-files')
  put(node, 'opt/berth/bin/node', 0o755)
  put(path.join(berth, 'dist'), 'opt/berth/dist')
  put(path.join(berth, 'build/berth-native'), 'opt/berth/build/berth-native', 0o755)
  put(path.join(berth, 'package.json'), 'opt/berth/package.json')
  put(path.join(root, 'LICENSE'), 'opt/berth/LICENSE')
  put(path.join(root, 'docs/cri-docker.md'), 'opt/berth/docs/cri-docker.md')
  put(path.join(files, 'berth-cri-docker.service'), 'etc/systemd/system/berth-cri-docker.service')
  put(path.join(files, 'cri-docker.env'), 'etc/berth/cri-docker.env')
  execFileSync('tar', ['-C', directory, '--numeric-owner', '--owner=0', '--group=0', '--sort=name', '-czf', path.resolve(output), '.'])
} finally {
  fs.rmSync(directory, { recursive: true, force: true })
}
