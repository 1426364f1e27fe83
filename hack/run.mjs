#!/usr/bin/env node
// Runs a program of the workspace under its pinned Node: node hack/run.mjs vitest run --project unit
import { spawn } from 'node:child_process'
import { environment, root } from './lib/workspace.mjs'

const [program, ...args] = process.argv.slice(2)
if (!program) {
  console.error('usage: node hack/run.mjs PROGRAM [ARGUMENT...]')
  process.exit(2)
}
const child = spawn(program, args, { cwd: root, env: environment(), stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`${program}: ${error.message}`)
  process.exit(127)
})
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)))
