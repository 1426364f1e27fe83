// Bundles the command into dist/: one entry a command by splitting, one a worker thread, nothing outside to resolve at start-up.
import fs from 'node:fs'
import path from 'node:path'
import { build, type Plugin } from 'esbuild'

const root = path.resolve(import.meta.dirname, '..')
const packages = path.resolve(root, '..')
const dist = path.join(root, 'dist')

/** A worker thread's script is named where it is started, as `new URL('./x.ts', import.meta.url)`. */
const workerReference = /new URL\(([^()]*?)'\.\/([\w-]+)\.(?:ts|js)'(?: : '\.\/[\w-]+\.js')?, import\.meta\.url\)/g

function sources(directory: string): string[] {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(directory, entry.name)
    return entry.isDirectory() ? sources(file) : /(?<!\.test)\.ts$/.test(entry.name) ? [file] : []
  })
}

function workers(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of fs.readdirSync(packages)) {
    const src = path.join(packages, name, 'src')
    if (!fs.existsSync(src)) continue
    for (const file of sources(src)) {
      for (const [, , script] of fs.readFileSync(file, 'utf8').matchAll(workerReference)) {
        if (script === undefined) continue
        if (found[script]) throw new Error(`two worker scripts are called ${script}: ${found[script]} and one beside ${file}`)
        found[script] = path.join(path.dirname(file), `${script}.ts`)
      }
    }
  }
  return found
}

/** In the bundle every script lies in one folder, and ends in .js. */
const workerUrls: Plugin = {
  name: 'worker-urls',
  setup(api) {
    api.onLoad({ filter: /packages\/[^/]+\/src\/.*\.ts$/ }, (args) => {
      const text = fs.readFileSync(args.path, 'utf8')
      if (!text.includes('import.meta.url')) return undefined
      return { contents: text.replace(workerReference, (_, _condition, script: string) => `new URL('./${script}.js', import.meta.url)`), loader: 'ts' }
    })
  },
}

/** The Engine is reached by its unix socket alone; dockerode would load a whole SSH client at start-up. */
const withoutSsh: Plugin = {
  name: 'without-ssh',
  setup(api) {
    api.onResolve({ filter: /^ssh2$/ }, () => ({ path: 'ssh2', namespace: 'without-ssh' }))
    api.onLoad({ filter: /.*/, namespace: 'without-ssh' }, () => ({ contents: 'exports.Client = class { constructor() { throw new Error("ssh:// is not supported: the Engine must be on this machine") } }' }))
  },
}

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
  keepNames: true,
  sourcemap: false,
  metafile: true,
  logLevel: 'warning',
  plugins: [workerUrls, withoutSsh],
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
})
fs.mkdirSync(path.join(root, 'build'), { recursive: true })
fs.copyFileSync(path.join(packages, 'native/build/berth-native'), path.join(root, 'build/berth-native.new'))
fs.chmodSync(path.join(root, 'build/berth-native.new'), 0o755)
fs.renameSync(path.join(root, 'build/berth-native.new'), path.join(root, 'build/berth-native'))
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0)
console.log(`${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB in ${path.relative(process.cwd(), dist)}`)
