/** The MTU for pods out of `list-links` and `list-routes`: that of the device with the default route, else the least of all that are up. */
export function detectMtu(lines: readonly string[]): number {
  const links = new Map<string, number>()
  for (const line of lines) {
    const [kind, name = '', , , mtu = '0', state] = line.split(' ')
    if (kind === 'link' && name !== 'lo' && state === 'up' && !name.startsWith('bth')) links.set(name, Number(mtu))
  }
  const defaultRoute = lines.find((line) => line.startsWith('route 0.0.0.0/0 '))?.split(' ')[2]
  const chosen = defaultRoute === undefined ? undefined : links.get(defaultRoute)
  return chosen ?? (links.size > 0 ? Math.min(...links.values()) : 1500)
}
