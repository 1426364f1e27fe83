import { certificates } from '@berth/api'
import type { CertificateSigningRequestCondition, CertificateSigningRequestStatus } from '@berth/api/types/certificates/v1'
import type { ApiObject } from '../interfaces.ts'
import type { PartSubresource, ResourceDefinition } from '../registry/definition.ts'
import { asRecord, cloneValue, formatTime } from '../registry/values.ts'
import { keepField, keepStatus } from './common.ts'

const statusOf = (object: ApiObject): CertificateSigningRequestStatus => (object['status'] ?? {}) as CertificateSigningRequestStatus

/** Fills the times that a writer left out; a condition that did not turn keeps when it did. */
function fillTimes(object: ApiObject, old: ApiObject): void {
  const { conditions } = statusOf(object)
  const before = statusOf(old).conditions ?? []
  const now = formatTime(Date.now())
  for (const condition of conditions ?? []) {
    condition.lastUpdateTime ??= now
    condition.lastTransitionTime ??= before.find(({ type, status, lastTransitionTime }) => type === condition.type && status === condition.status && lastTransitionTime)?.lastTransitionTime ?? now
  }
}

/** Conditions of approval are not what /status is for: they stay as they are stored, if there are as many. */
function keepApproval(object: ApiObject, old: ApiObject): void {
  const { conditions = [] } = statusOf(object)
  for (const type of ['Approved', 'Denied']) {
    const stored = (statusOf(old).conditions ?? []).filter((condition) => condition.type === type)
    const places = conditions.flatMap((condition, i) => (condition.type === type ? [i] : []))
    if (places.length !== stored.length) continue
    for (const [i, place] of places.entries()) conditions[place] = cloneValue(stored[i]) as CertificateSigningRequestCondition
  }
}

const status: PartSubresource = {
  type: 'part',
  methods: ['get', 'update', 'patch'],
  resetFields: [['spec'], ['status', 'conditions']],
  prepareForUpdate(object, old) {
    keepField(object, old, 'spec')
    keepApproval(object, old)
    fillTimes(object, old)
  },
}

const approval: PartSubresource = {
  type: 'part',
  methods: ['get', 'update', 'patch'],
  resetFields: [['spec'], ['status', 'certificate']],
  prepareForUpdate(object, old) {
    keepField(object, old, 'spec')
    fillTimes(object, old)
    const { conditions } = statusOf(object)
    object['status'] = { ...cloneValue(statusOf(old)), ...(conditions ? { conditions } : {}) }
    if (!conditions) delete asRecord(object['status'])?.['conditions']
  },
}

export const certificatesigningrequests: ResourceDefinition = {
  resource: certificates.certificatesigningrequests,
  storagePrefix: 'certificatesigningrequests',
  resetFields: [['spec'], ['status']],
  fieldLabels: { 'spec.signerName': (object) => String(asRecord(object['spec'])?.['signerName'] ?? '') },
  prepareForCreate(object, _features, user) {
    const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...asked } = asRecord(object['spec']) ?? {}
    object['spec'] = {
      ...asked, username: user.name, ...(user.uid ? { uid: user.uid } : {}), ...(user.groups.length > 0 ? { groups: user.groups } : {}), ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
    }
    object['status'] = {}
  },
  prepareForUpdate(object, old) {
    keepField(object, old, 'spec')
    keepStatus(object, old)
  },
  subresources: { approval, status },
}
