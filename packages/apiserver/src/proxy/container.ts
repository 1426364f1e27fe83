import type { Pod } from '@berth/api/types/core/v1'
import { badRequest } from '../errors.ts'

/** The container that a request means: the one it names, or the only one. Throws BadRequest in upstream's words. */
export function containerOf(pod: Pod, asked: string): string {
  const names = (list: readonly { name: string }[] | undefined): string[] => (list ?? []).map((c) => c.name)
  const containers = names(pod.spec?.containers)
  const init = names(pod.spec?.initContainers)
  const ephemeral = names(pod.spec?.ephemeralContainers)
  const pods = pod.metadata.name
  if (asked !== '') {
    if ([...containers, ...init, ...ephemeral].includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${pods}`)
  }
  const [only, ...others] = containers
  if (only === undefined) throw badRequest(`a container name must be specified for pod ${pods}`)
  if (others.length === 0) return only
  const more = [
    ...(init.length > 0 ? [` or one of the init containers: [${init.join(' ')}]`] : []),
    ...(ephemeral.length > 0 ? [` or one of the ephemeral containers: [${ephemeral.join(' ')}]`] : []),
  ]
  throw badRequest(`a container name must be specified for pod ${pods}, choose one of: [${containers.join(' ')}]${more.join('')}`)
}
