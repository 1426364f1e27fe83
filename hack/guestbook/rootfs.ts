import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

function run(argv: readonly string[], cwd?: string): string {
  const result = spawnSync(argv[0]!, argv.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...(cwd ? { cwd } : {}), maxBuffer: 64 << 20 })
  if (result.error) throw result.error
  if (result.status !== 0) throw new Error(`${argv.slice(0, 3).join(' ')}: ${result.stderr.trim()}`)
  return result.stdout
}

/** The packages and the libraries that they need, all the way down; nothing that is no library follows. */
function closure(packages: readonly string[]): string[] {
  const listing = run(['apt-cache', 'depends', '--recurse', '--no-recommends', '--no-suggests', '--no-conflicts', '--no-breaks', '--no-replaces', '--no-enhances', ...packages])
  const edges = new Map<string, string[]>()
  let from = ''
  for (const line of listing.split('\n')) {
    if (/^\S/.test(line)) from = line.trim()
    const dependency = /^\s+\|?(?:Pre)?Depends: (\S+)/.exec(line)?.[1]
    if (dependency && !dependency.startsWith('<')) edges.set(from, [...(edges.get(from) ?? []), dependency])
  }
  const found = new Set(packages)
  const queue = [...packages]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const dependency of edges.get(next) ?? []) {
      if (found.has(dependency) || !/^(lib(?!c-bin)|lua-)/.test(dependency)) continue
      found.add(dependency)
      queue.push(dependency)
    }
  }
  return [...found].sort()
}

/**
 * Makes a root file system out of Debian packages: downloaded with `apt-get download` and unpacked, so that no package
 * script runs and no service starts on this machine. Documentation and locales are left out.
 */
export function makeRootfs(packages: readonly string[], directory: string): void {
  const downloads = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-packages-'))
  // apt drops its rights to the user _apt, who has to be able to write here.
  fs.chmodSync(downloads, 0o777)
  try {
    run(['apt-get', 'download', '-qq', ...closure(packages)], downloads)
    fs.mkdirSync(directory, { recursive: true })
    for (const file of fs.readdirSync(downloads).sort()) run(['dpkg-deb', '-x', path.join(downloads, file), directory])
  } finally {
    fs.rmSync(downloads, { recursive: true, force: true })
  }
  for (const unneeded of ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/lintian', 'usr/share/bug', 'lib/systemd', 'usr/lib/systemd']) {
    fs.rmSync(path.join(directory, unneeded), { recursive: true, force: true })
  }
  for (const folder of ['tmp', 'proc', 'sys', 'dev', 'etc', 'run', 'var']) fs.mkdirSync(path.join(directory, folder), { recursive: true })
  fs.chmodSync(path.join(directory, 'tmp'), 0o1777)
  // Debian's packages still ship /lib and /bin apart where a merged system has links; the loader is found either way.
}

/** Puts busybox into a root file system as its shell and small tools. */
export function addBusybox(directory: string, applets: readonly string[]): void {
  const bin = path.join(directory, 'bin')
  fs.mkdirSync(bin, { recursive: true })
  const source = [path.join(directory, 'bin/busybox'), path.join(directory, 'usr/bin/busybox')].find((file) => fs.existsSync(file))
  if (!source) throw new Error('there is no busybox in the root file system')
  for (const applet of applets) {
    if (!fs.existsSync(path.join(bin, applet))) fs.symlinkSync(path.relative(bin, source), path.join(bin, applet))
  }
}
