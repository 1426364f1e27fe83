import { execFileSync } from 'node:child_process'

const made: string[] = []

/** Makes a network namespace with its loopback up; gives its path. removeNamespaces() takes all of this file away again. */
export function makeNamespace(name: string): string {
  const full = `berth-test-${process.pid}-${name}`
  execFileSync('ip', ['netns', 'add', full])
  made.push(full)
  const path = `/run/netns/${full}`
  inNamespace(path, 'ip', 'link', 'set', 'lo', 'up')
  return path
}

export function removeNamespaces(): void {
  for (const name of made.splice(0)) execFileSync('ip', ['netns', 'del', name])
}

/** Runs a command in a namespace and gives its stdout. */
export function inNamespace(path: string, ...argv: string[]): string {
  return execFileSync('nsenter', [`--net=${path}`, '--', ...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

export const isRoot = process.getuid?.() === 0
if (!isRoot) console.log('skipped: namespaces need root')
