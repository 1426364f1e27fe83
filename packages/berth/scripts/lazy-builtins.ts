import { builtinModules } from 'node:module'
import type { Plugin } from 'esbuild'

const builtins = new Set(builtinModules)

/**
 * Node's own modules by `process.getBuiltinModule`, their names read when they are used. An `import` asks a module for all of its names at once, and
 * `node:http` has some (WebSocket) that load a whole HTTP client: a tenth of a process's start.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(api) {
    api.onResolve({ filter: /^(?:node:)?[a-z_\d/]+$/ }, ({ path: name, kind }) => {
      if (kind !== 'import-statement' || !(name.startsWith('node:') || builtins.has(name))) return undefined
      return { path: name, namespace: 'lazy-builtins' }
    })
    api.onLoad({ filter: /.*/, namespace: 'lazy-builtins' }, ({ path: name }) => ({ contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)})`, loader: 'js' }))
  },
}
