import type { ServiceAccount } from '../types/core/v1.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

export const serviceAccountValidation: KindValidation<ServiceAccount> = {
  namespaced: true,
  create: (account) => checkMeta(account.metadata, true, nameIsDnsSubdomain),
  update: (account, old) => [...checkMetaUpdate(account.metadata, old.metadata), ...checkMeta(account.metadata, true, nameIsDnsSubdomain)],
}
