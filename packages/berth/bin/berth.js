#!/usr/bin/env node
// The launcher: plain JavaScript that runs under any Node >= 20 and hands over to the Node that Berth pins.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname)
const bundled = path.join(here, '../dist/berth.js')
const entry = fs.existsSync(bundled) ? bundled : path.join(here, '../src/main.ts')
const pinned = `node-linux-${process.arch}`

let node
try {
  node = path.join(path.dirname(createRequire(import.meta.url).resolve(`${pinned}/package.json`)), 'bin/node')
} catch {
  console.error(`berth: there is no ${pinned} package for this machine (${process.platform}-${process.arch}); Berth runs on Linux, x64 and arm64`)
  process.exit(1)
}

const args = ['--disable-warning=ExperimentalWarning', entry, ...process.argv.slice(2)]
// glibc keeps a heap for each thread, and gives none of them back.
process.env.MALLOC_ARENA_MAX ??= '2'
if (typeof process.execve === 'function') process.execve(node, [node, ...args], process.env)
const child = spawn(node, args, { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`berth: ${node}: ${error.message}`)
  process.exit(127)
})
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)))
