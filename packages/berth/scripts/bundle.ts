// Bundles the command into dist/, or the folder named as argument: one entry a command by splitting, one a worker thread, nothing outside to resolve at start-up.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { lazyBuiltins } from './lazy-builtins.ts'

const root = path.resolve(import.meta.dirname, '..')
const packages = path.resolve(root, '..')
const dist = path.resolve(process.argv[2] ?? path.join(root, 'dist'))
/** Where the bundle looks for the native program. */
const native = path.join(dist, '../build')

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

/**
 * A CommonJS package that is imported dynamically becomes a chunk with a default export alone. Its names, as Node finds
 * them, are spelled out, so that the bundle's `await import('yaml')` is what the sources' is.
 */
const dynamicNames: Plugin = {
  name: 'dynamic-names',
  setup(api) {
    api.onResolve({ filter: /^[^./]/ }, async ({ path: name, kind, resolveDir, namespace }) => {
      if (kind !== 'dynamic-import' || namespace === 'dynamic-names' || name.startsWith('node:') || name.startsWith('@berth/')) return undefined
      return { path: name, namespace: 'dynamic-names', pluginData: { resolveDir } }
    })
    api.onLoad({ filter: /.*/, namespace: 'dynamic-names' }, async ({ path: name, pluginData }) => {
      const { resolveDir } = pluginData as { resolveDir: string }
      const found = createRequire(`${resolveDir}/x.js`).resolve(name)
      const names = Object.keys(await import(pathToFileURL(found).href) as object).filter((each) => each !== 'default' && /^[A-Za-z_$][\w$]*$/.test(each))
      return { contents: `import * as whole from ${JSON.stringify(name)}\nconst all = whole.default && typeof whole.default === 'object' ? { ...whole.default, ...whole } : whole\nexport const { ${names.join(', ')} } = all\nexport default all\n`, resolveDir, loader: 'js' }
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
