import type * as Issue from './certificates/issue.ts'

// The certificate library costs more memory than all else here; it is loaded by the first certificate that is made.
const load = (): Promise<typeof Issue> => import('./certificates/issue.ts')

export const createCa: typeof Issue.createCa = async (...args) => (await load()).createCa(...args)
export const issueCertificate: typeof Issue.issueCertificate = async (...args) => (await load()).issueCertificate(...args)
export const createCertificateRequest: typeof Issue.createCertificateRequest = async (...args) => (await load()).createCertificateRequest(...args)
export const signCertificateRequest: typeof Issue.signCertificateRequest = async (...args) => (await load()).signCertificateRequest(...args)
