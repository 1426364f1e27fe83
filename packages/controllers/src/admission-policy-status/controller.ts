import { admissionregistration } from '@berth/api'
import type { ValidatingAdmissionPolicy } from '@berth/api/types/admissionregistration/v1'
import type { APIResourceList } from '@berth/api/types/meta/v1'
import { celTypes } from '@berth/cel'
import { errorOf, isNotFound, readText, type KubeClient } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'
import { typeOfKind, type Kind, type OpenApiSchemas } from './open-api.ts'
import { expressionWarnings, mostKinds, namedResources, type TypedKind } from './type-check.ts'

const fieldManager = 'validatingadmissionpolicy-status'

/** Says in each ValidatingAdmissionPolicy's status which of its expressions do not fit the kinds that it is about. */
export const admissionPolicyStatusController: Controller = {
  name: 'validatingadmissionpolicy-status-controller',
  async run(context) {
    const { client } = context
    const policies = context.informers.for(admissionregistration.validatingadmissionpolicies)
    const frame = keyedController({
      name: fieldManager, workers: 5, context, informers: [policies],
      async sync(key) {
        const policy = policies.store.get(key)
        if (policy === undefined || (policy.metadata.generation ?? 0) <= (policy.status?.observedGeneration ?? 0)) return
        const found = await warningsOf(client, policy)
        const status = { observedGeneration: policy.metadata.generation, typeChecking: found.length === 0 ? {} : { expressionWarnings: found } }
        const body = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', metadata: { name: key }, status }
        await client.patch(admissionregistration.validatingadmissionpolicies, key, { type: 'apply', body }, { subresource: 'status', fieldManager, force: true }).catch(ignore(isNotFound))
      },
    })
    const off = policies.on({ added: ({ metadata }) => frame.queue.add(metadata.name), updated: (_old, { metadata }) => frame.queue.add(metadata.name) })
    await frame.run()
    off()
  },
}

async function warningsOf(client: KubeClient, policy: ValidatingAdmissionPolicy): Promise<ReturnType<typeof expressionWarnings>> {
  const documents = new Map<string, Promise<OpenApiSchemas>>()
  const schemasOf = (group: string, version: string): Promise<OpenApiSchemas> => {
    const path = pathOf(group, version)
    const asked = documents.get(path) ?? getJson<{ components?: { schemas?: OpenApiSchemas } }>(client, `/openapi/v3${path}`).then((document) => document?.components?.schemas ?? {})
    documents.set(path, asked)
    return asked
  }
  const typed: TypedKind[] = []
  for (const { group, version, resource } of namedResources(policy)) {
    if (typed.length === mostKinds) break
    const list = await getJson<APIResourceList>(client, pathOf(group, version))
    const kind = list?.resources?.find(({ name }) => name === resource)?.kind
    if (kind === undefined || typed.some((known) => known.group === group && known.version === version && known.kind === kind)) continue
    const type = typeOfKind(await schemasOf(group, version), { group, version, kind })
    if (type !== undefined) typed.push({ group, version, kind, type })
  }
  const params = paramsOf(policy)
  return expressionWarnings(policy, typed, params && (typeOfKind(await schemasOf(params.group, params.version), params) ?? celTypes.dynType))
}

function paramsOf({ spec }: ValidatingAdmissionPolicy): Kind | undefined {
  const { apiVersion = '', kind = '' } = spec?.paramKind ?? {}
  if (spec?.paramKind === undefined) return undefined
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return { group: group ?? '', version: version ?? '', kind }
}

const pathOf = (group: string, version: string): string => (group === '' ? `/api/${version}` : `/apis/${group}/${version}`)

/** What a path answers; undefined where there is nothing. */
async function getJson<T>(client: KubeClient, path: string): Promise<T | undefined> {
  const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' } })
  const text = response.status === 200 ? await readText(response.body) : undefined
  if (text !== undefined) return JSON.parse(text) as T
  const error = await errorOf(response)
  if (isNotFound(error)) return undefined
  throw error
}
