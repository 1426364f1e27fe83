import type { CertificateSigningRequest } from '../types/certificates/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf, humanDuration } from './duration.ts'

function conditionOf({ status }: CertificateSigningRequest): string {
  const has = (type: string): boolean => status?.conditions?.some((condition) => condition.type === type) === true
  return `${has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending'}${has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`
}

export const certificateSigningRequestTable: KindTable<CertificateSigningRequest> = {
  columns: [
    nameColumn,
    ageColumn,
    { name: 'SignerName', description: ['certificates/v1', 'CertificateSigningRequestSpec', 'signerName'] },
    { name: 'Requestor', description: ['certificates/v1', 'CertificateSigningRequestSpec', 'request'] },
    { name: 'RequestedDuration', description: ['certificates/v1', 'CertificateSigningRequestSpec', 'expirationSeconds'] },
    { name: 'Condition', description: ['certificates/v1', 'CertificateSigningRequestStatus', 'conditions'] },
  ],
  cells(request, now) {
    const { spec } = request
    const seconds = spec?.expirationSeconds
    return [
      request.metadata.name, ageOf(request, now), spec?.signerName || '<none>', spec?.username ?? '', seconds === undefined ? '<none>' : humanDuration(seconds * 1000), conditionOf(request),
    ]
  },
}
