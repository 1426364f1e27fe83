// Makes what is published: plain JavaScript, bundled with all that it needs, and declarations.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { lazyBuiltins } from '../../berth/scripts/lazy-builtins.ts'
import { dynamicNames, workers, workerUrls } from '../../berth/scripts/plugins.ts'

const root = path.resolve(import.meta.dirname, '..')
const packages = path.resolve(root, '..')
/** Where to, `dist` where nothing is said. */
const dist = path.resolve(process.argv[2] ?? path.join(root, 'dist'))
const types = path.join(dist, 'types')

// The certificate library wants this to be there before it, also when it is only asked for its names.
await import(pathToFileURL(createRequire(path.join(packages, 'kube/package.json')).resolve('reflect-metadata')).href)
fs.rmSync(dist, { recursive: true, force: true })
const result = await build({
  entryPoints: { index: path.join(root, 'src/index.ts'), ...workers(['apiserver', 'scheduler', 'kubelet']) },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.13',
  external: ['@kubernetes/client-node'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
  plugins: [workerUrls, lazyBuiltins, dynamicNames],
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
})

/** The declarations of everything that the public ones reach, in a tree like the sources', with relative names for our packages. */
function declarations(): number {
  const made = path.join(dist, 'declarations')
  execFileSync(path.join(root, 'node_modules/.bin/tsc'), ['-p', path.join(root, 'scripts/tsconfig.declarations.json'), '--outDir', made], { stdio: 'inherit' })
  const wanted = [path.join(made, 'testing/src/index.d.ts'), ...fs.globSync(path.join(packages, 'api/src/types/*/*.ts')).map((file) => path.join(made, path.relative(packages, file)).replace(/\.ts$/, '.d.ts'))]
  const done = new Set<string>()
  for (let file = wanted.pop(); file !== undefined; file = wanted.pop()) {
    if (done.has(file)) continue
    done.add(file)
    const from = path.dirname(file)
    const text = fs.readFileSync(file, 'utf8').replace(/(from |import\()(['"])([^'"]+)\2/g, (whole, before: string, quote: string, name: string) => {
      const target = declarationOf(made, from, name)
      if (target === undefined) return whole
      wanted.push(target)
      const relative = path.relative(from, target).replace(/\.d\.ts$/, '.js')
      return `${before}${quote}${relative.startsWith('.') ? relative : `./${relative}`}${quote}`
    })
    const to = path.join(types, path.relative(made, file))
    fs.mkdirSync(path.dirname(to), { recursive: true })
    fs.writeFileSync(to, text)
  }
  fs.rmSync(made, { recursive: true, force: true })
  return done.size
}

function declarationOf(made: string, from: string, name: string): string | undefined {
  if (name.startsWith('.')) return path.resolve(from, name.replace(/\.(ts|js)$/, '.d.ts'))
  const [, own, rest] = /^@berth\/([^/]+)(?:\/(.+))?$/.exec(name) ?? []
  if (own === undefined) return undefined
  const { exports } = JSON.parse(fs.readFileSync(path.join(packages, own, 'package.json'), 'utf8')) as { exports: Record<string, string> }
  const wildcard = rest !== undefined && exports['./types/*'] !== undefined && rest.startsWith('types/')
  const source = wildcard ? `./src/${rest}.ts` : exports[rest === undefined ? '.' : `./${rest}`]
  if (source === undefined) throw new Error(`${name} is not exported`)
  return path.join(made, own, source.replace(/\.ts$/, '.d.ts'))
}

const count = declarations()
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0)
console.log(`${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB, and ${count} declarations in ${path.relative(process.cwd(), dist)}`)
