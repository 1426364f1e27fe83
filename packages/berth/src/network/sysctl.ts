import fs from 'node:fs'
import path from 'node:path'
import type { Layout } from '../instance/layout.ts'

const forwarding = '/proc/sys/net/ipv4/ip_forward'

function memory(layout: Layout): string {
  return path.join(layout.dataDir, 'ip_forward.before')
}

/** Turns the machine's IPv4 forwarding on, and remembers what it was. */
export function ensureForwardingSysctl(layout: Layout): void {
  const now = fs.readFileSync(forwarding, 'utf8').trim()
  if (now === '1') return
  fs.writeFileSync(memory(layout), now)
  fs.writeFileSync(forwarding, '1')
}

/** Puts the machine's IPv4 forwarding back to what it was before Berth turned it on. */
export function restoreForwardingSysctl(layout: Layout): void {
  if (!fs.existsSync(memory(layout))) return
  fs.writeFileSync(forwarding, fs.readFileSync(memory(layout), 'utf8'))
  fs.rmSync(memory(layout))
}
