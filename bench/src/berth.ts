import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../..')

/** Builds Berth as it is installed, into `directory`; gives the argument vector that runs it, as its launcher does. */
export function buildBerth(directory: string): string[] {
  const out = path.join(directory, 'berth')
  execFileSync(process.execPath, [path.join(root, 'packages/berth/scripts/bundle.ts'), out], { stdio: ['ignore', 'ignore', 'inherit'] })
  const { resolve } = createRequire(path.join(root, 'packages/berth/bin/berth.js'))
  const node = path.join(path.dirname(resolve(`node-linux-${process.arch}/package.json`)), 'bin/node')
  return [node, '--disable-warning=ExperimentalWarning', path.join(out, 'berth.js')]
}
