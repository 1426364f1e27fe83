// The workspace's own tools: pnpm, the dependencies from the lockfile, and the Node that runs Berth.
import { spawnSync } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..')
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))

function run(argv, options = {}) {
  const result = spawnSync(argv[0], argv.slice(1), { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (result.error) throw result.error
  return result.status ?? 1
}

/** Where the pinned pnpm is, installed into .tools with npm when it is not there. */
export function ensurePnpm() {
  const version = manifest.packageManager.replace('pnpm@', '')
  const dir = path.join(root, '.tools')
  const installed = path.join(dir, 'node_modules/pnpm/package.json')
  const bin = path.join(dir, 'node_modules/.bin/pnpm')
  if (fs.existsSync(installed) && fs.existsSync(bin) && JSON.parse(fs.readFileSync(installed, 'utf8')).version === version) return bin
  console.log(`Installing pnpm ${version}`)
  fs.mkdirSync(dir, { recursive: true })
  fs.writeFileSync(path.join(dir, 'package.json'), '{ "private": true }\n')
  const status = run(['npm', 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', dir, `pnpm@${version}`], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) {
    console.error('npm could not install pnpm; is the npm registry reachable?')
    process.exit(1)
  }
  return bin
}

/** Installs the workspace from the lockfile, unless the lockfile that was last installed is the same. */
export function ensureDependencies() {
  const hash = crypto.createHash('sha256')
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']) hash.update(fs.readFileSync(path.join(root, file)))
  const digest = hash.digest('hex')
  const stamp = path.join(root, 'node_modules/.berth-installed')
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === digest) return
  console.log('Installing the workspace from the lockfile')
  const pnpm = ensurePnpm()
  if (run([pnpm, 'install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn'], { env: { ...process.env, CI: 'true' } }) !== 0) {
    console.error('pnpm install failed')
    process.exit(1)
  }
  fs.writeFileSync(stamp, digest)
}

/** The folder with the Node binary that the workspace pins (an npm package, one per architecture). */
export function nodeDirectory() {
  const require = path.join(root, 'packages/berth/node_modules', `node-linux-${process.arch}`, 'bin')
  if (!fs.existsSync(path.join(require, 'node'))) {
    console.error(`There is no Node for ${process.platform}-${process.arch} in ${path.relative(root, require)}; run npm start (or node hack/setup.mjs) first`)
    process.exit(1)
  }
  return require
}

/** The environment in which the workspace's programs run: pinned Node and local binaries first, oracles where they are. */
export function environment() {
  const bins = [nodeDirectory(), path.join(root, 'node_modules/.bin'), path.join(root, '.tools/node_modules/.bin')]
  const env = { ...process.env, PATH: [...bins, process.env.PATH].join(':'), TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
  for (const key of Object.keys(env)) if (key.startsWith('npm_')) delete env[key]
  return env
}

/** Builds all packages; turbo skips what has not changed. */
export function build() {
  const result = spawnSync('turbo', ['run', 'build', '--output-logs=errors-only', '--log-order=grouped'], { cwd: root, env: environment(), encoding: 'utf8' })
  if (result.error) throw result.error
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}\nThe build failed\n`)
    process.exit(1)
  }
}
