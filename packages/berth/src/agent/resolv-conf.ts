import fs from 'node:fs'

/** systemd-resolved keeps the real servers here; /etc/resolv.conf names its own stub on loopback then. */
const candidates = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf']

function nameservers(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

/**
 * The machine's resolv.conf as a node's namespace can use it: the first file with a server that is not on loopback, which
 * is another one there; those on loopback are left out. Undefined where the machine has none (it knows no names at all).
 */
export function usableResolvConf(read: (file: string) => string | undefined = readFile): { text: string; nameservers: string[] } | undefined {
  for (const file of candidates) {
    const text = read(file)
    if (text === undefined) continue
    const usable = nameservers(text).filter((address) => !isLoopback(address))
    if (usable.length === 0) continue
    const kept = text.split('\n').filter((line) => !/^\s*nameserver\s/.test(line) || usable.some((address) => line.includes(address)))
    return { text: kept.join('\n'), nameservers: usable }
  }
  return undefined
}

function readFile(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
