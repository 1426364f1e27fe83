import { readFileSync } from 'node:fs'
import type { Engine } from '../engine/connect.ts'

/** Linux' capabilities by their numbers. */
const names = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'LINUX_IMMUTABLE', 'NET_BIND_SERVICE'],
  ...['NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN'],
  ...['SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE'],
  ...['MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF', 'CHECKPOINT_RESTORE'],
]

/** The set of capabilities that this process has in effect, as /proc/self/status tells; the Engine is taken to have the same. */
export function effectiveCapabilities(status: string = readFileSync('/proc/self/status', 'utf8')): bigint {
  return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
}

export function hasCapability(set: bigint, name: string): boolean {
  const number = names.indexOf(name)
  return number >= 0 && (set & (1n << BigInt(number))) !== 0n
}

/** Docker before 23 (API 1.42) knows the capabilities up to AUDIT_READ. */
const knownToOldDocker = 38

/** The capabilities that an Engine knows. */
export function everyCapability(engine: Pick<Engine, 'speaks'>): readonly string[] {
  return engine.speaks('1.42') ? names : names.slice(0, knownToOldDocker)
}

/**
 * The capabilities to add. ALL means all that there are to give, as with other runtimes: where this machine's own are fewer than Linux', Docker would fail on the
 * missing ones, so those it knows and can give are named one by one. What else is named stays.
 */
export function capabilitiesToAdd(wanted: readonly string[], available: bigint, engine: Pick<Engine, 'speaks'>): string[] {
  const known = everyCapability(engine)
  if (!wanted.includes('ALL') || known.every((name) => hasCapability(available, name))) return [...wanted]
  return [...new Set([...wanted.filter((name) => name !== 'ALL'), ...known.filter((name) => hasCapability(available, name))])]
}
