// What Berth needs from the system, and how to get it on Debian. Plain JavaScript: this runs before anything is installed.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'

/** Program → the Debian package that has it, and what Berth uses it for. */
const needed = [
  { program: 'dockerd', package: 'docker.io', purpose: 'the container Engine' },
  { program: 'containerd', package: 'containerd', purpose: 'the Engine\'s runtime' },
  { program: 'runc', package: 'runc', purpose: 'the Engine\'s runtime' },
  { program: 'nft', package: 'nftables', purpose: 'Services' },
  { program: 'ip', package: 'iproute2', purpose: 'pod networks' },
  { program: 'nsenter', package: 'util-linux', purpose: 'node namespaces' },
  { program: 'conntrack', package: 'conntrack', purpose: 'Services over UDP' },
  { program: 'gcc', package: 'gcc', purpose: 'the native program' },
  { program: 'make', package: 'make', purpose: 'the native program' },
  { file: '/usr/include/stdlib.h', package: 'libc6-dev', purpose: 'the native program' },
  { file: '/etc/ssl/certs/ca-certificates.crt', package: 'ca-certificates', purpose: 'pulling images' },
]

/** What only the test suites need. */
const neededByTests = [
  { program: 'busybox', package: 'busybox-static', purpose: 'test images' },
  { program: 'docker-registry', package: 'docker-registry', purpose: 'the image suite' },
  { program: 'iptables', package: 'iptables', purpose: 'the firewall suite' },
  { file: '/usr/lib/cni/bridge', package: 'containernetworking-plugins', purpose: 'the CNI runner\'s suite' },
]

const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin']
process.env.PATH = [...new Set([...(process.env.PATH ?? '').split(':'), ...sbin])].join(':')

function has(item) {
  if (item.file) return fs.existsSync(item.file)
  return process.env.PATH.split(':').some((dir) => {
    try {
      fs.accessSync(`${dir}/${item.program}`, fs.constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** The items of the list that this machine lacks. */
export function missing({ tests = false } = {}) {
  return [...needed, ...(tests ? neededByTests : [])].filter((item) => !has(item))
}

function run(argv, options = {}) {
  const result = spawnSync(argv[0], argv.slice(1), { stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (result.error) throw result.error
  return result.status ?? 1
}

/**
 * Installs what is missing with apt and says so. Services that the packages would start are kept from starting while
 * it installs (policy-rc.d, see invoke-rc.d(8)). Where that cannot be done, prints what is missing and the commands
 * that would install it, and ends the process with 1.
 */
export function ensureSystem({ tests = false } = {}) {
  const lacking = missing({ tests })
  if (lacking.length === 0) return
  const packages = [...new Set(lacking.map((item) => item.package))]
  for (const item of lacking) console.log(`  missing: ${(item.program ?? item.file).padEnd(14)} (${item.purpose}; Debian package ${item.package})`)
  const isRoot = process.getuid?.() === 0
  const hasApt = has({ program: 'apt-get' })
  if (!isRoot || !hasApt) {
    console.error(`\nBerth cannot install these itself here: ${!isRoot ? 'it is not run as root' : 'there is no apt-get'}. On Debian or Ubuntu, run:\n`)
    console.error('  sudo apt-get update')
    console.error(`  sudo apt-get install --no-install-recommends ${packages.join(' ')}\n`)
    process.exit(1)
  }
  console.log(`Installing with apt: ${packages.join(' ')}`)
  const policy = '/usr/sbin/policy-rc.d'
  const ownPolicy = !fs.existsSync(policy)
  if (ownPolicy) fs.writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0', ...packages]
    const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] }
    if (run(['apt-get', 'update', '-qq'], quiet) !== 0) console.error('apt-get update failed; trying with the lists that are there')
    if (run(install, quiet) !== 0) {
      console.error(`\napt could not install: ${packages.join(' ')}`)
      process.exit(1)
    }
  } finally {
    if (ownPolicy) fs.rmSync(policy, { force: true })
  }
  const still = missing({ tests })
  if (still.length > 0) {
    console.error(`Installed, and yet not found: ${still.map((item) => item.program ?? item.file).join(', ')}`)
    process.exit(1)
  }
}
