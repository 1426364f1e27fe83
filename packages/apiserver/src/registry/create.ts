// Creating an object: upstream's Store.Create.
import { adopt } from './adopt.ts'
import { alreadyExists, invalid, StatusError } from '../errors.ts'
import type { AdmissionAttributes, ApiObject, WriteOutcome } from '../interfaces.ts'
import { StorageConflict } from '../storage/storage.ts'
import { CachedObject } from './cached-object.ts'
import type { Registry } from './registry.ts'
import type { ResourceRuntime } from './resource-runtime.ts'
import type { WriteScope } from './scope.ts'
import { cloneValue } from './values.ts'
import { deduplicateOwners, fillSystemFields, generateName, withRevision } from './system-fields.ts'

const generateNameAttempts = 8

/**
 * Creates `input` (stored version, defaulted, managedFields set; it may be changed) in `namespace`.
 * Resolves with the new version after its commit; with dryRun, with what it would have been. Throws StatusError.
 */
export async function createObject(registry: Registry, runtime: ResourceRuntime, namespace: string, input: ApiObject, scope: WriteScope): Promise<CachedObject> {
  const generated = input.metadata.name === '' && (input.metadata.generateName ?? '') !== ''
  for (let attempt = 1; ; attempt++) {
    try {
      return await createOnce(registry, runtime, namespace, generated ? cloneValue(input) : input, scope)
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== 'AlreadyExists' || !generated || attempt >= generateNameAttempts) throw error
    }
  }
}

async function createOnce(registry: Registry, runtime: ResourceRuntime, namespace: string, object: ApiObject, scope: WriteScope): Promise<CachedObject> {
  const { definition } = runtime
  const gr = runtime.groupResource
  const meta = object.metadata
  if (definition.resource.namespaced) meta.namespace = namespace
  else delete meta.namespace
  const attributes: AdmissionAttributes = {
    operation: 'CREATE', resource: definition.resource, subresource: '', kind: runtime.gvk, namespace, name: meta.name, object, oldObject: undefined,
    options: scope.options, user: scope.user, dryRun: scope.dryRun, warn: scope.warn, adopt: (value) => adopt(runtime, value),
  }
  await scope.admission.mutate(attributes)
  deduplicateOwners(object)
  fillSystemFields(object, registry.now())
  const generatedFrom = meta.name === '' && meta.generateName ? meta.generateName : undefined
  if (generatedFrom !== undefined) meta.name = generateName(generatedFrom)
  definition.prepareForCreate?.(object, registry.features, scope.user)
  for (const hook of runtime.hooks) hook.normalize?.(object, undefined)
  let final = runtime.rules.normalize(object)
  const errors = runtime.rules.validateCreate(final, runtime.validation)
  if (errors.length > 0) throw invalid(runtime.gvk, meta.name, errors)
  for (const warning of runtime.rules.warnings(final)) scope.warn(warning)
  await scope.admission.validate({ ...attributes, name: meta.name, object: final })

  const key = runtime.key(namespace, meta.name)
  const outcomes: WriteOutcome[] = []
  try {
    for (const hook of runtime.hooks) if (hook.beginCreate) outcomes.push(await hook.beginCreate(final, scope))
    if (outcomes.length > 0) final = runtime.rules.normalize(final)
    if (scope.dryRun) {
      if (await registry.confirmed(key)) throw alreadyExists(gr, meta.name)
      await settle(outcomes, 'revert')
      return new CachedObject(key, 0, final, undefined)
    }
    const cached = await writeObject(registry, runtime, key, final, 0)
    await settle(outcomes, 'commit')
    return cached
  } catch (error) {
    if (!scope.dryRun) await settle(outcomes, 'revert')
    if (!(error instanceof StorageConflict)) throw error
    const refusal = alreadyExists(gr, meta.name)
    if (generatedFrom === undefined) throw refusal
    throw new StatusError(409, 'AlreadyExists', `${refusal.message}, the server was not able to generate a unique name for the object`, refusal.status.details)
  }
}

/** Stores a version built on `expected` (0: a new key) and resolves with it after the commit. */
export async function writeObject(registry: Registry, runtime: ResourceRuntime, key: string, object: ApiObject, expected: number): Promise<CachedObject> {
  const holder: { cached?: CachedObject } = {}
  const make = (revision: number): CachedObject => {
    if (holder.cached?.revision === revision) return holder.cached
    const versioned: ApiObject = { ...object, metadata: withRevision(object.metadata, revision) }
    holder.cached = new CachedObject(key, revision, versioned, undefined)
    return holder.cached
  }
  const ttlSeconds = registry.ttlSeconds(runtime)
  const { revision } = await registry.storage.write({ key, expected, value: (r) => make(r).bytes, attachment: make, ...(ttlSeconds !== undefined && { ttlSeconds }) })
  return make(revision)
}

/** Completes or undoes what hooks reserved; a failing hook does not stop the others. */
export async function settle(outcomes: readonly WriteOutcome[], how: 'commit' | 'revert'): Promise<void> {
  for (const outcome of outcomes) await outcome[how]?.()
}
