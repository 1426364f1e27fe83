import type { Pod, Service } from '@berth/api/types/core/v1'

const variable = (text: string): string => text.toUpperCase().replaceAll('-', '_')
const hostPort = (ip: string, port: number): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)

/**
 * The Docker-link style variables of the Services a pod sees: those of its namespace when `enableServiceLinks` is not false, and always
 * the master's (`kubernetes` in `default`). Headless and external-name Services have none.
 */
export function serviceVariables(pod: Pod, services: readonly Service[]): Record<string, string> {
  const chosen = new Map<string, Service>()
  for (const service of services) {
    const ip = service.spec?.clusterIP
    if (!ip || ip === 'None') continue
    const { name, namespace } = service.metadata
    const master = namespace === 'default' && name === 'kubernetes'
    if (master && !chosen.has(name)) chosen.set(name, service)
    else if (namespace === pod.metadata.namespace && pod.spec.enableServiceLinks !== false) chosen.set(name, service)
  }
  const env: Record<string, string> = {}
  for (const service of [...chosen.values()].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const ip = service.spec?.clusterIP ?? ''
    const ports = service.spec?.ports ?? []
    const first = ports[0]
    if (!first) continue
    const prefix = variable(service.metadata.name)
    env[`${prefix}_SERVICE_HOST`] = ip
    env[`${prefix}_SERVICE_PORT`] = String(first.port)
    for (const p of ports) if (p.name) env[`${prefix}_SERVICE_PORT_${variable(p.name)}`] = String(p.port)
    ports.forEach((p, i) => {
      const protocol = p.protocol ?? 'TCP'
      const url = `${protocol.toLowerCase()}://${hostPort(ip, p.port)}`
      if (i === 0) env[`${prefix}_PORT`] = url
      const port = `${prefix}_PORT_${p.port}_${protocol.toUpperCase()}`
      env[port] = url
      env[`${port}_PROTO`] = protocol.toLowerCase()
      env[`${port}_PORT`] = String(p.port)
      env[`${port}_ADDR`] = ip
    })
  }
  return env
}
