import { configMapPayload } from './payload.ts'
import { type VolumePlugin, volumePath } from './plugin.ts'
import { writePayload } from './write-payload.ts'

/** A ConfigMap's keys as files, kept up to date. */
export const configMapVolume: VolumePlugin = {
  source: 'configMap',
  setUp: async (volume, context) => {
    const source = volume.configMap ?? {}
    const name = source.name ?? ''
    const payload = configMapPayload(await context.configMap(name), name, { items: source.items, defaultMode: source.defaultMode ?? 0o644, optional: source.optional === true })
    return writePayload(volumePath(context, 'configmap', volume.name), payload, context, false)
  },
}
