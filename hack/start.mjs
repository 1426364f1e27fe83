#!/usr/bin/env node
// `npm start`: sets up what is missing, then runs the guestbook on a cluster of its own.
import { spawnSync } from 'node:child_process'
import { environment, root } from './lib/workspace.mjs'
import { setUp } from './setup.mjs'

setUp()
if (process.getuid?.() !== 0) {
  console.error('The cluster needs root (network namespaces, mounts, containers): sudo npm start')
  process.exit(1)
}
const result = spawnSync('node', ['--disable-warning=ExperimentalWarning', 'hack/guestbook/demo.ts'], { cwd: root, env: environment(), stdio: ['ignore', 'inherit', 'inherit'] })
process.exit(result.status ?? 1)
