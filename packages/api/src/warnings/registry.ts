import type { GroupVersionKind } from '../schema/index.ts'
import type { ReplicaSet } from '../types/apps/v1.ts'
import type { Pod, Service } from '../types/core/v1.ts'
import type { EndpointSlice } from '../types/discovery/v1.ts'
import { dns1123Label } from '../validation/formats.ts'
import { podSpecWarnings } from './pod-spec.ts'
import { serviceWarnings } from './service.ts'

type Warn = (object: never, old: unknown) => string[]

/** Names of workloads become part of host names. */
function workloadWarnings({ metadata, spec }: Pick<ReplicaSet, 'metadata' | 'spec'>, old: unknown): string[] {
  const problems = old === undefined ? dns1123Label(metadata.name) : []
  const name = problems.length === 0 ? [] : [`metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`]
  return [...name, ...podSpecWarnings(spec?.template?.spec ?? { containers: [] }, spec?.template?.metadata, 'spec.template')]
}

function podWarnings({ metadata, spec }: Pod, old: unknown): string[] {
  const problems = old === undefined ? dns1123Label(metadata.name) : []
  const name = problems.length === 0 ? [] : [`metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`]
  return [...name, ...podSpecWarnings(spec, metadata, '')]
}

/** What a server says of well-formed objects that do not do what their writer may think, one line a kind. */
const kinds: Readonly<Record<string, Warn>> = {
  '/v1/Pod': podWarnings,
  '/v1/Service': (service: Service) => serviceWarnings(service),
  'apps/v1/Deployment': workloadWarnings,
  'apps/v1/ReplicaSet': workloadWarnings,
  'discovery.k8s.io/v1/EndpointSlice': (slice: EndpointSlice) => (slice.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
}

/** The warnings that go with an object's creation (`old` undefined) or update: the text of `Warning` headers, in upstream's words. */
export function objectWarnings({ group, version, kind }: GroupVersionKind, object: object, old?: object): string[] {
  return kinds[`${group}/${version}/${kind}`]?.(object as never, old) ?? []
}
