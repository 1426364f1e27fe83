import { createInformers } from '@berth/kube'
import { startControllers } from '@berth/controllers'
import { runPartThread } from './part-thread.ts'

/** What the main thread says about the cluster. */
interface Settings { clusterCidr: string; nodeCidrMaskSize: number; rootCa: string; signingCa: { certificate: string; key: string }; serviceAccountPrivateKey: string }

const chosen = ['*', 'bootstrap-signer-controller', 'token-cleaner-controller']

await runPartThread('controllers', async ({ client, logger, settings }) => {
  const { clusterCidr, nodeCidrMaskSize, rootCa, signingCa, serviceAccountPrivateKey } = settings as unknown as Settings
  return startControllers({ client, informers: createInformers(client, { logger }), logger, controllers: chosen, clusterCidr, nodeCidrMaskSize, rootCa, signingCa, serviceAccountPrivateKey })
})
