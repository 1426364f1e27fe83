import { inMemory } from '../config.ts'
import type { ApiServerOptions, ServerLog } from '../interfaces.ts'
import { type PreparedCertificates, prepareCertificates } from './server-certificates.ts'

const checkEveryMs = 3600 * 1000

/**
 * Looks hourly whether a certificate is near its end (or a file that a flag names has changed), makes what must be made, and hands the new set to `apply`.
 * Returns the way to stop.
 */
export function renewCertificates(options: ApiServerOptions, current: PreparedCertificates, apply: (renewed: PreparedCertificates) => void, log: ServerLog): () => void {
  // What is in no file would be made anew, authority and all.
  if (options.certDir === inMemory) return () => {}
  let known = current
  const timer = setInterval(() => {
    prepareCertificates(options).then((next) => {
      if (next.servingCert === known.servingCert && next.clientCa === known.clientCa && next.requestHeaderCa === known.requestHeaderCa
        && next.kubeletClient.certificate === known.kubeletClient.certificate && next.proxyClient.certificate === known.proxyClient.certificate) return
      known = next
      apply(next)
      log.info('Certificates were renewed')
    }).catch((error: unknown) => log.error(error, 'Unable to renew certificates'))
  }, checkEveryMs)
  timer.unref()
  return () => clearInterval(timer)
}
