import { core } from '@berth/api'
import type { ServiceAccount } from '@berth/api/types/core/v1'
import { isConflict, isNotFound, jwtSigner, keyOf, splitKey, type Informer } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { accountOf, filled, isOf, tokenType } from './token-secret.ts'

/** `secret NAMESPACE/NAME`, or `reference NAMESPACE/ACCOUNT SECRET`: an account that names a Secret which is gone. */
type Key = `secret ${string}` | `reference ${string} ${string}`

/** Puts tokens into the Secrets that ask for one by their type, and deletes those Secrets with their accounts. */
export const serviceAccountTokenController: Controller = {
  name: 'serviceaccount-token-controller',
  async run(context) {
    const { client, settings: { serviceAccountPrivateKey, rootCa, concurrentServiceAccountSyncs } } = context
    if (serviceAccountPrivateKey === '') return context.logger.info('No service account private key is given, no tokens are put into Secrets', { controller: this.name })
    const sign = jwtSigner(serviceAccountPrivateKey)
    const accounts = context.informers.for(core.serviceaccounts)
    const secrets = context.informers.for(core.secrets, { fieldSelector: `type=${tokenType}`, indexers: { account: (secret) => [`${secret.metadata.namespace ?? ''}/${accountOf(secret).name}`] } })
    const frame = keyedController<Key>({
      name: 'serviceaccount_tokens_secret', workers: concurrentServiceAccountSyncs, context, informers: [accounts, secrets],
      async sync(key) {
        const [what, name = '', gone = ''] = key.split(' ')
        if (what === 'reference') return dropReference(context, name, gone)
        const secret = secrets.store.get(name)
        if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return
        const { namespace = '', uid } = secret.metadata
        const account = await accountNow(context, accounts, `${namespace}/${accountOf(secret).name}`)
        if (account === undefined || !isOf(secret, account)) {
          await client.delete(core.secrets, secret.metadata.name, { namespace, preconditions: { uid } }).catch(ignore(isNotFound, isConflict))
          return
        }
        const whole = filled(secret, account, rootCa, sign)
        if (whole !== undefined) await client.update(core.secrets, whole).catch(ignore(isNotFound))
      },
    })
    const look = (secret: { metadata: { name: string; namespace?: string } }): void => frame.queue.add(`secret ${keyOf(secret)}`)
    const lookAll = (account: ServiceAccount): void => { for (const secret of secrets.store.byIndex('account', keyOf(account))) look(secret) }
    const off = [
      secrets.on({
        added: look, updated: (_old, secret) => look(secret),
        deleted: (secret) => frame.queue.add(`reference ${secret.metadata.namespace ?? ''}/${accountOf(secret).name} ${secret.metadata.name}`),
      }),
      accounts.on({ deleted: lookAll }),
    ]
    await frame.run()
    for (const each of off) each()
  },
}

/** The account as the informer has it, or as the server says where it has none: a Secret may be seen before its account. */
async function accountNow({ client }: ControllerContext, accounts: Informer<ServiceAccount>, key: string): Promise<ServiceAccount | undefined> {
  const { namespace, name } = splitKey(key)
  if (name === '') return undefined
  return accounts.store.get(key) ?? await client.get(core.serviceaccounts, name, { namespace }).catch(ignore(isNotFound))
}

async function dropReference({ client }: ControllerContext, key: string, secret: string): Promise<void> {
  const { namespace, name } = splitKey(key)
  if (name === '') return
  const account = await client.get(core.serviceaccounts, name, { namespace }).catch(ignore(isNotFound))
  if (account?.secrets?.some((reference) => reference.name === secret) !== true) return
  await client.update(core.serviceaccounts, { ...account, secrets: account.secrets.filter((reference) => reference.name !== secret) }).catch(ignore(isNotFound))
}
