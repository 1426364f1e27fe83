import { secretPayload } from './payload.ts'
import { type VolumePlugin, volumePath } from './plugin.ts'
import { writePayload } from './write-payload.ts'

/** A Secret's keys as files in memory, kept up to date. */
export const secretVolume: VolumePlugin = {
  source: 'secret',
  setUp: async (volume, context) => {
    const source = volume.secret ?? {}
    const name = source.secretName ?? ''
    const payload = secretPayload(await context.secret(name), name, { items: source.items, defaultMode: source.defaultMode ?? 0o644, optional: source.optional === true })
    return writePayload(volumePath(context, 'secret', volume.name), payload, context, true)
  },
}
