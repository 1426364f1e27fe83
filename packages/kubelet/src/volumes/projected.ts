import type { VolumeProjection } from '@berth/api/types/core/v1'
import type { Payload } from './atomic-writer.ts'
import { configMapPayload, downwardPayload, secretPayload } from './payload.ts'
import { fsUserOf, type VolumeContext, type VolumePlugin, volumePath } from './plugin.ts'
import { writePayload } from './write-payload.ts'

/** Several sources in one directory; service-account tokens are renewed while the pod runs. */
export const projectedVolume: VolumePlugin = {
  source: 'projected',
  setUp: async (volume, context) => {
    const mode = volume.projected?.defaultMode ?? 0o644
    const payload: Payload = new Map()
    for (const source of volume.projected?.sources ?? []) for (const [path, file] of await project(source, mode, context)) payload.set(path, file)
    return writePayload(volumePath(context, 'projected', volume.name), payload, context, true)
  },
}

async function project(source: VolumeProjection, defaultMode: number, context: VolumeContext): Promise<Payload> {
  if (source.configMap) {
    const { name = '', items, optional } = source.configMap
    return configMapPayload(await context.configMap(name), name, { items, defaultMode, optional: optional === true })
  }
  if (source.secret) {
    const { name = '', items, optional } = source.secret
    return secretPayload(await context.secret(name), name, { items, defaultMode, optional: optional === true })
  }
  if (source.downwardAPI) return downwardPayload(context.pod, source.downwardAPI.items ?? [], defaultMode, context.downward)
  if (source.serviceAccountToken) {
    const token = await context.token(source.serviceAccountToken)
    const uid = fsUserOf(context.pod)
    // A token readable by all would be readable by whoever else shares the volume: where the owner is known it is theirs alone.
    const mode = uid !== undefined || context.pod.spec.securityContext?.fsGroup !== undefined ? 0o600 : defaultMode
    return new Map([[source.serviceAccountToken.path, { data: Buffer.from(token), mode, ...(uid === undefined ? {} : { uid }) }]])
  }
  const type = Object.keys(source)[0] ?? 'nothing'
  throw new Error(`projection of ${type} is not served by this kubelet`)
}
