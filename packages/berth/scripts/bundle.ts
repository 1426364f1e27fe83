// Bundles the command into dist/, or the folder named as argument: one entry a command by splitting, one a worker thread, nothing outside to resolve at start-up.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { lazyBuiltins } from './lazy-builtins.ts'
import { dynamicNames, workers, workerUrls } from './plugins.ts'

const root = path.resolve(import.meta.dirname, '..')
const packages = path.resolve(root, '..')
const dist = path.resolve(process.argv[2] ?? path.join(root, 'dist'))
/** Where the bundle looks for the native program. */
const native = path.join(dist, '../build')

/** The Engine is reached by its unix socket alone; dockerode would load a whole SSH client at start-up. */
const withoutSsh: Plugin = {
  name: 'without-ssh',
  setup(api) {
    api.onResolve({ filter: /^ssh2$/ }, () => ({ path: 'ssh2', namespace: 'without-ssh' }))
    api.onLoad({ filter: /.*/, namespace: 'without-ssh' }, () => ({ contents: 'exports.Client = class { constructor() { throw new Error("ssh:// is not supported: the Engine must be on this machine") } }' }))
  },
}

// The certificate library wants this to be there before it, also when it is only asked for its names.
await import(pathToFileURL(createRequire(path.join(packages, 'kube/package.json')).resolve('reflect-metadata')).href)
fs.rmSync(dist, { recursive: true, force: true })
const result = await build({
  entryPoints: { berth: path.join(root, 'src/main.ts'), ...workers() },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node26',
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: false,
  metafile: true,
  logLevel: 'warning',
  plugins: [workerUrls, withoutSsh, lazyBuiltins, dynamicNames],
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
})
fs.mkdirSync(native, { recursive: true })
fs.copyFileSync(path.join(packages, 'native/build/berth-native'), path.join(native, 'berth-native.new'))
fs.chmodSync(path.join(native, 'berth-native.new'), 0o755)
fs.renameSync(path.join(native, 'berth-native.new'), path.join(native, 'berth-native'))
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0)
console.log(`${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB in ${path.relative(process.cwd(), dist)}`)
