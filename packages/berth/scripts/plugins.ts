// What esbuild must be told of Berth's sources, for whoever bundles them.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Plugin } from 'esbuild'

const packages = path.resolve(import.meta.dirname, '../..')

/** A worker thread's script is named where it is started, as `new URL('./x.ts', import.meta.url)`. */
const workerReference = /new URL\(([^()]*?)'\.\/([\w-]+)\.(?:ts|js)'(?: : '\.\/[\w-]+\.js')?, import\.meta\.url\)/g

function sources(directory: string): string[] {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(directory, entry.name)
    return entry.isDirectory() ? sources(file) : /(?<!\.test)\.ts$/.test(entry.name) ? [file] : []
  })
}

/** The scripts of worker threads of these packages (all, when none are named), by their names; each becomes an entry of the bundle. */
export function workers(names: readonly string[] = fs.readdirSync(packages)): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of names) {
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
export const workerUrls: Plugin = {
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
export const dynamicNames: Plugin = {
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
