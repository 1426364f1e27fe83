import { readCertificateRequest } from '@berth/kube'
import type { CertificateSigningRequest } from '@berth/api/types/certificates/v1'
import type { AdmissionAttributes, AdmissionPlugin, Authorizer } from '../interfaces.ts'
import { refuse } from './pods.ts'

function requestOf({ resource, object }: AdmissionAttributes): CertificateSigningRequest | undefined {
  return resource.group === 'certificates.k8s.io' && resource.resource === 'certificatesigningrequests' ? object as unknown as CertificateSigningRequest | undefined : undefined
}

/** Whether the user may do this with the signer: by its whole name, or by all of its domain. */
async function maySign(authorizer: Authorizer, { user }: AdmissionAttributes, verb: 'approve' | 'sign', signerName: string): Promise<boolean> {
  const domain = signerName.split('/')[0] ?? ''
  for (const name of [signerName, `${domain}/*`]) {
    const { decision } = await authorizer.authorize({ user, verb, resourceRequest: true, path: '', namespace: '', apiGroup: 'certificates.k8s.io', apiVersion: '*', resource: 'signers', subresource: '', name })
    if (decision === 'allow') return true
  }
  return false
}

/** Approving a request takes the right to approve for its signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    handles: (operation) => operation === 'UPDATE',
    async validate(attributes) {
      const old = attributes.oldObject as unknown as CertificateSigningRequest | undefined
      if (attributes.subresource !== 'approval' || !requestOf(attributes) || !old) return
      if (!await maySign(authorizer, attributes, 'approve', old.spec.signerName)) throw refuse(attributes, `user not permitted to approve requests with signerName ${JSON.stringify(old.spec.signerName)}`)
    },
  }
}

/** Issuing a certificate, or calling it failed, takes the right to sign for its signer. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    handles: (operation) => operation === 'UPDATE',
    async validate(attributes) {
      const request = requestOf(attributes)
      const old = attributes.oldObject as unknown as CertificateSigningRequest | undefined
      if (attributes.subresource !== 'status' || !request || !old) return
      const isUnchanged = (request.status?.certificate ?? '') === (old.status?.certificate ?? '') && JSON.stringify(request.status?.conditions ?? []) === JSON.stringify(old.status?.conditions ?? [])
      if (isUnchanged) return
      if (!await maySign(authorizer, attributes, 'sign', old.spec.signerName)) throw refuse(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(old.spec.signerName)}`)
    },
  }
}

/** Nobody gets a client certificate for the group of administrators by a request. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: (operation) => operation === 'CREATE',
  async validate(attributes) {
    const request = requestOf(attributes)
    if (attributes.subresource !== '' || request?.spec.signerName !== 'kubernetes.io/kube-apiserver-client') return
    const { organizations } = await readCertificateRequest(Buffer.from(request.spec.request, 'base64').toString('utf8'))
    if (organizations.includes('system:masters')) throw refuse(attributes, 'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed')
  },
}
