#!/usr/bin/env node
// Sets up a clone: Debian packages, pnpm, dependencies, build. `npm start` and `npm test` call the same.
import { ensureSystem } from './lib/system.mjs'
import { build, ensureDependencies } from './lib/workspace.mjs'

/** Everything that a clone needs before its programs run. */
export function setUp({ tests = false } = {}) {
  const [major] = process.versions.node.split('.').map(Number)
  if (major < 20) {
    console.error(`Berth needs Node 20 or newer to start; this is ${process.version}`)
    process.exit(1)
  }
  ensureSystem({ tests })
  ensureDependencies()
  build()
}

if (import.meta.url === `file://${process.argv[1]}`) setUp({ tests: process.argv.includes('--tests') })
