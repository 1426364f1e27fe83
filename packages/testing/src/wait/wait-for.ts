import { apiVersionOf, core, parseJsonPath, type ResourceInfo } from '@berth/api'
import type { Event } from '@berth/api/types/core/v1'
import { isNotFound, type KubeClient } from '@berth/kube'
import type { ResourceFinder } from '../objects/resource-finder.ts'
import { describeState, type AnyObject } from './last-state.ts'
import { WaitTimeoutError, type Target, type Until, type WaitOptions } from './wanted.ts'

export interface Waiting {
  /** Resolves with the object once it is as wanted (undefined for `delete`). Rejects with {@link WaitTimeoutError}. */
  until<T = AnyObject>(target: Target, wanted: Until<T>, options?: WaitOptions): Promise<T>
}

const defaultTimeoutMs = 30_000

/** `stopping` ends every wait with its reason. */
export function waiting(client: KubeClient, finder: ResourceFinder, stopping: AbortSignal): Waiting {
  return {
    async until<T>(target: Target, wanted: Until<T>, options: WaitOptions = {}): Promise<T> {
      const { resource, name, namespace } = await resolve(finder, target, options).catch((error: unknown) => {
        throw stopping.aborted ? new WaitTimeoutError(`the cluster was stopped waiting for ${typeof target === 'string' ? target : `${target.kind}/${target.metadata?.name}`}`, undefined) : error
      })
      const holds = predicateOf(wanted as Until<AnyObject>)
      const { timeout = defaultTimeoutMs } = options
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(), timeout)
      let last: AnyObject | undefined
      try {
        for await (const object of states(client, resource, name, namespace, AbortSignal.any([late.signal, stopping]))) {
          last = object
          if (holds(object)) return object as T
        }
      } catch (error) {
        if (!late.signal.aborted && !stopping.aborted) throw error
      } finally {
        clearTimeout(timer)
      }
      const what = typeof wanted === 'string' ? wanted : options.what ?? 'the function to give true'
      const where = namespace === undefined ? '' : ` in namespace ${namespace}`
      const why = stopping.aborted ? 'the cluster was stopped' : `timed out after ${timeout / 1000}s`
      const events = stopping.aborted ? [] : await eventsOf(client, resource, name, namespace).catch(() => [])
      throw new WaitTimeoutError(`${why} waiting for ${resource.singular || resource.resource}/${name}${where}: ${what}\n${describeState(last, events)}`, last)
    },
  }
}

async function resolve(finder: ResourceFinder, target: Target, options: WaitOptions): Promise<{ resource: ResourceInfo, name: string, namespace: string | undefined }> {
  if (typeof target !== 'string') {
    const resource = await finder.ofObject(target)
    const name = target.metadata?.name
    if (name === undefined) throw new Error(`there is no waiting for ${resource.kind} objects without metadata.name`)
    return { resource, name, namespace: resource.namespaced ? target.metadata?.namespace ?? options.namespace ?? 'default' : undefined }
  }
  const [type = '', name = '', more] = target.split('/')
  if (type === '' || name === '' || more !== undefined) throw new Error(`${JSON.stringify(target)} is not of the form type/name, such as deployment/web`)
  const resource = await finder.ofName(type)
  return { resource, name, namespace: resource.namespaced ? options.namespace ?? 'default' : undefined }
}

function predicateOf(wanted: Until<AnyObject>): (object: AnyObject | undefined) => boolean {
  if (typeof wanted === 'function') return (object) => object !== undefined && wanted(object)
  if (wanted === 'create') return (object) => object !== undefined
  if (wanted === 'delete') return (object) => object === undefined
  const [, kind, rest = ''] = /^(condition|jsonpath)=(.*)$/s.exec(wanted) ?? []
  if (kind === 'condition') {
    const [type = '', status = 'True'] = rest.split('=')
    return (object) => object?.status?.conditions?.some((each) => each.type?.toLowerCase() === type.toLowerCase() && each.status?.toLowerCase() === status.toLowerCase()) === true
  }
  const [, path, value] = /^'?\{([^}]*)\}'?(?:=(.*))?$/s.exec(rest) ?? []
  if (kind !== 'jsonpath' || path === undefined) throw new Error(`unrecognized condition: ${JSON.stringify(wanted)}: use condition=Type[=Status], jsonpath={.path}[=value], create, delete or a function`)
  const read = parseJsonPath(path)
  return (object) => {
    const [found] = object === undefined ? [] : read(object as Parameters<typeof read>[0])
    return found !== undefined && (value === undefined || (typeof found === 'string' ? found : JSON.stringify(found)) === value)
  }
}

/** The object as it is, then as it becomes, each time it changes; undefined when there is none. Ends only by its signal, which throws. */
async function* states(client: KubeClient, resource: ResourceInfo, name: string, namespace: string | undefined, signal: AbortSignal): AsyncGenerator<AnyObject | undefined> {
  const where = { ...(namespace !== undefined && { namespace }), fieldSelector: `metadata.name=${name}`, signal }
  while (!signal.aborted) {
    const list = await client.list(resource, where)
    yield list.items[0] as AnyObject | undefined
    try {
      for await (const { type, object } of client.watch(resource, { ...where, resourceVersion: list.metadata.resourceVersion ?? '0' })) {
        if (type === 'ERROR') break
        if (type !== 'BOOKMARK') yield type === 'DELETED' ? undefined : object as AnyObject
      }
    } catch (error) {
      // A kind whose definition was deleted is served no more; its objects are gone with it.
      if (!isNotFound(error)) throw error
      yield undefined
    }
  }
}

async function eventsOf(client: KubeClient, resource: ResourceInfo, name: string, namespace: string | undefined): Promise<Event[]> {
  const fieldSelector = `involvedObject.name=${name},involvedObject.kind=${resource.kind}`
  const { items } = await client.list(core.events, { namespace: namespace ?? 'default', fieldSelector })
  return items.filter(({ involvedObject }) => (involvedObject.apiVersion ?? apiVersionOf(resource)) === apiVersionOf(resource))
}
