import { downwardPayload } from './payload.ts'
import { type VolumePlugin, volumePath } from './plugin.ts'
import { writePayload } from './write-payload.ts'

/** The pod's own fields as files, kept up to date. */
export const downwardApiVolume: VolumePlugin = {
  source: 'downwardAPI',
  setUp: async (volume, context) => {
    const source = volume.downwardAPI ?? {}
    const payload = downwardPayload(context.pod, source.items ?? [], source.defaultMode ?? 0o644, context.downward)
    return writePayload(volumePath(context, 'downward-api', volume.name), payload, context, true)
  },
}
