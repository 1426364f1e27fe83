import type { GroupVersionKind } from '../schema/index.ts'
import type { ReplicaSet } from '../types/apps/v1.ts'
import type { Pod, Service } from '../types/core/v1.ts'
import type { EndpointSlice } from '../types/discovery/v1.ts'
import type { ObjectMeta } from '../types/meta/v1.ts'
import { sameValue, textOf } from '../validation/common.ts'
import { dns1123Label } from '../validation/formats.ts'
import { podWarnings } from './pod.ts'
import { serviceWarnings } from './service.ts'

type Warn = (object: never, old: never) => string[]

/** On creation: a name that is no DNS label does not become a host name as it is. */
function nameWarnings(metadata: ObjectMeta | undefined, use: string): string[] {
  const problems = dns1123Label(textOf(metadata?.name))
  return problems.length === 0 ? [] : [`metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`]
}

type Workload = Pick<ReplicaSet, 'metadata' | 'spec'>

/** A workload's template is spoken of when the spec is new. */
function workloadWarnings({ metadata, spec }: Workload, old: Workload | undefined): string[] {
  if (old !== undefined && sameValue(spec, old.spec)) return []
  return [...(old === undefined ? nameWarnings(metadata, 'Pod names and hostnames') : []), ...podWarnings(spec?.template ?? {}, 'spec.template')]
}

/** What is said of well-formed objects, one line a kind. */
const kinds: Readonly<Record<string, Warn>> = {
  '/v1/Pod': (pod: Pod, old: Pod | undefined) => [...(old === undefined ? nameWarnings(pod.metadata, "the Pod's hostname") : []), ...podWarnings(pod)],
  '/v1/Service': (service: Service) => serviceWarnings(service),
  'apps/v1/Deployment': workloadWarnings,
  'apps/v1/ReplicaSet': workloadWarnings,
  'discovery.k8s.io/v1/EndpointSlice': (slice: EndpointSlice) => (slice.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
}

/** The warnings that go with an object's creation (`old` undefined) or update: texts of `Warning` headers, in upstream's words. */
export function warningsOf({ group, version, kind }: GroupVersionKind, object: object, old?: object): string[] {
  return kinds[`${group}/${version}/${kind}`]?.(object as never, old as never) ?? []
}
