import { authorization, certificates } from '@berth/api'
import type { CertificateSigningRequest } from '@berth/api/types/certificates/v1'
import { inspectCertificate, isNotFound, keyOf, readCertificateRequest, signCertificateRequest, type KubeClient } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController, periodically } from '../common/keyed-controller.ts'
import { wireTime } from '../common/pods.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { apiServerClient, hasCondition, isPast, kubeletClient, kubeletServing, refusal } from './recognize.ts'

const pemOf = (request: CertificateSigningRequest): string => Buffer.from(request.spec.request, 'base64').toString('utf8')
const secondsOfDay = 86_400
const retryMs = 10_000

/** A controller that acts on requests without a certificate; `act` gives the milliseconds after which to try again, if at all. */
function controllerOfRequests(name: string, queue: string, act: (context: ControllerContext, request: CertificateSigningRequest) => Promise<number | undefined>): Controller {
  return {
    name,
    async run(context) {
      const requests = context.informers.for(certificates.certificatesigningrequests)
      const frame = keyedController({ name: queue, workers: 5, context, informers: [requests], async sync(key) {
        const request = requests.store.get(key)
        if (request === undefined || (request.status?.certificate ?? '') !== '') return
        const again = await act(context, request)
        if (again !== undefined) frame.queue.addAfter(key, again)
      } })
      const off = requests.on({ added: (request) => frame.queue.add(keyOf(request)), updated: (_old, now) => frame.queue.add(keyOf(now)) })
      await frame.run()
      off()
    },
  }
}

/** Approves kubelets' client certificates for those who may have them: by a review of `nodeclient` or `selfnodeclient`. Serving certificates wait for somebody. */
export const csrApproving: Controller = controllerOfRequests('certificatesigningrequest-approving-controller', 'certificate', async ({ client, clock }, request) => {
  if (request.spec.signerName !== kubeletClient || hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return undefined
  const names = await readCertificateRequest(pemOf(request)).catch(() => undefined)
  if (names === undefined || refusal(kubeletClient, names, request.spec.usages ?? []) !== undefined) return undefined
  const own = request.spec.username === names.commonName
  for (const [subresource, message] of [
    ...(own ? [['selfnodeclient', 'Auto approving self kubelet client certificate after SubjectAccessReview.'] as const] : []),
    ['nodeclient', 'Auto approving kubelet client certificate after SubjectAccessReview.'] as const,
  ]) {
    if (!await mayCreate(client, request, subresource)) continue
    const time = wireTime(clock.now())
    const conditions = [...request.status?.conditions ?? [], { type: 'Approved', status: 'True' as const, reason: 'AutoApproved', message, lastUpdateTime: time, lastTransitionTime: time }]
    await client.update(certificates.certificatesigningrequests, { ...request, status: { ...request.status, conditions } }, { subresource: 'approval' }).catch(ignore(isNotFound))
    return undefined
  }
  // The right may come later.
  return retryMs
})

async function mayCreate(client: KubeClient, { spec }: CertificateSigningRequest, subresource: string): Promise<boolean> {
  const review = await client.create(authorization.subjectaccessreviews, {
    apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: { name: '' },
    spec: { user: spec.username, uid: spec.uid, groups: spec.groups, extra: spec.extra, resourceAttributes: { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', verb: 'create', subresource, version: '*' } },
  })
  return review.status?.allowed === true
}

/** Signs approved requests to the cluster's own signers with `signingCa`; what a signer does not sign is marked Failed. */
export const csrSigning: Controller = controllerOfRequests('certificatesigningrequest-signing-controller', 'csrsigning', async ({ client, clock, settings }, request) => {
  const { signerName, usages = [], expirationSeconds } = request.spec
  if (settings.signingCa === undefined || ![apiServerClient, kubeletClient, kubeletServing].includes(signerName)) return undefined
  if (!hasCondition(request, 'Approved') || hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return undefined
  const pem = pemOf(request)
  const why = refusal(signerName, await readCertificateRequest(pem), usages)
  const time = wireTime(clock.now())
  const seconds = Math.min(expirationSeconds ?? settings.signingDurationSeconds, settings.signingDurationSeconds)
  const status = why !== undefined
    ? { ...request.status, conditions: [...request.status?.conditions ?? [], { type: 'Failed', status: 'True' as const, reason: 'SignerValidationFailure', message: why, lastUpdateTime: time, lastTransitionTime: time }] }
    : { ...request.status, certificate: Buffer.from(await signCertificateRequest(settings.signingCa, pem, { usages: [signerName === kubeletServing ? 'server' : 'client'], days: seconds / secondsOfDay, now: clock.now() })).toString('base64') }
  await client.update(certificates.certificatesigningrequests, { ...request, status }, { subresource: 'status' }).catch(ignore(isNotFound))
  return undefined
})

/** Deletes requests that were answered an hour ago, or not within a day. */
export const csrCleaner: Controller = {
  name: 'certificatesigningrequest-cleaner-controller',
  async run(context) {
    const requests = context.informers.for(certificates.certificatesigningrequests)
    await requests.whenSynced(context.signal).catch((error: unknown) => { if (!context.signal.aborted) throw error })
    await periodically(context, 'csrcleaner', 3600_000, async () => {
      for (const request of requests.store.list()) {
        const certificate = Buffer.from(request.status?.certificate ?? '', 'base64').toString('utf8')
        const expired = certificate !== '' && inspectCertificate(certificate).notAfter < context.clock.now()
        if (isPast(request, expired, context.clock.now())) await context.client.delete(certificates.certificatesigningrequests, request.metadata.name, { preconditions: { uid: request.metadata.uid } }).catch(ignore(isNotFound))
      }
    })
  },
}
