import type { VolumeAttachment, VolumeError } from '../types/storage/v1.ts'
import { checkFormat, sameValue, textOf } from './common.ts'
import { checkDriverName } from './csi-names.ts'
import { forbidden, invalid, required, tooLong } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Subdomain, rangeError } from './formats.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, nameIsDnsSubdomain } from './object-meta.ts'
import { checkVolumeSpec } from './persistent-volume/spec.ts'

const metadataLimit = 256 * 1024
const messageLimit = 1024
const oneOfBoth = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'

function checkSource({ spec }: VolumeAttachment): FieldError[] {
  const at = 'spec.source'
  const { persistentVolumeName: name, inlineVolumeSpec: inline } = spec.source ?? {}
  if (name === undefined && inline === undefined) return [required(at, oneOfBoth)]
  if (name !== undefined && inline !== undefined) return [forbidden(at, oneOfBoth)]
  if (name !== undefined) return name === '' ? [required(`${at}.persistentVolumeName`, 'must specify non empty persistentVolumeName')] : []
  return checkVolumeSpec(inline ?? {}, `${at}.inlineVolumeSpec`, '', true)
}

function checkError(error: VolumeError | undefined, at: string): FieldError[] {
  if (!error) return []
  return [
    ...(Buffer.byteLength(textOf(error.message)) > messageLimit ? [tooLong(`${at}.message`, metadataLimit)] : []),
    ...(error.errorCode !== undefined && error.errorCode < 0 ? [invalid(`${at}.errorCode`, error.errorCode, rangeError(0, 2147483647))] : []),
  ]
}

function checkAttachment(attachment: VolumeAttachment): FieldError[] {
  const { spec, status } = attachment
  const size = Object.entries(status?.attachmentMetadata ?? {}).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  const name = spec.source?.persistentVolumeName
  return [
    ...checkMeta(attachment.metadata, false, nameIsDnsSubdomain),
    ...checkDriverName('spec.attacher', spec.attacher),
    ...checkSource(attachment),
    ...checkFormat('spec.nodeName', textOf(spec.nodeName), dns1123Subdomain),
    ...(size > metadataLimit ? [tooLong('status.attachmentMetadata', metadataLimit)] : []),
    ...checkError(status?.attachError, 'status.attachError'),
    ...checkError(status?.detachError, 'status.detachError'),
    ...(name === undefined ? [] : checkFormat('spec.source.persistentVolumeName', name, dns1123Subdomain)),
  ]
}

export const volumeAttachmentValidation: KindValidation<VolumeAttachment> = {
  namespaced: false,
  create: checkAttachment,
  update: (attachment, old) => [
    ...checkAttachment(attachment),
    ...(sameValue(attachment.spec, old.spec) ? [] : [invalid('spec', toInternal('VolumeAttachmentSpec', attachment.spec), 'field is immutable')]),
  ],
}
