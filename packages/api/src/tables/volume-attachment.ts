import type { VolumeAttachment } from '../types/storage/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const volumeAttachmentTable: KindTable<VolumeAttachment> = {
  columns: [
    nameColumn,
    { name: 'Attacher', format: 'name', description: ['storage/v1', 'VolumeAttachmentSpec', 'attacher'] },
    { name: 'PV', description: ['storage/v1', 'VolumeAttachmentSource', 'persistentVolumeName'] },
    { name: 'Node', description: ['storage/v1', 'VolumeAttachmentSpec', 'nodeName'] },
    { name: 'Attached', type: 'boolean', description: ['storage/v1', 'VolumeAttachmentStatus', 'attached'] },
    ageColumn,
  ],
  cells: (object, now) => [
    object.metadata.name, object.spec?.attacher ?? '', object.spec?.source?.persistentVolumeName ?? '', object.spec?.nodeName ?? '', object.status?.attached ?? false, ageOf(object, now),
  ],
}
