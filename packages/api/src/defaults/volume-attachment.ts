import type { VolumeAttachment } from '../types/storage/v1.ts'
import { defaultVolumeSource } from './persistent-volume.ts'

export function defaultVolumeAttachment(attachment: VolumeAttachment): void {
  const inline = attachment.spec?.source?.inlineVolumeSpec
  if (inline) defaultVolumeSource(inline)
}
