import type { GroupVersionKind } from '../schema/index.ts'
import type { DaemonSet, ReplicaSet, StatefulSet } from '../types/apps/v1.ts'
import type { CronJob, Job, JobSpec } from '../types/batch/v1.ts'
import type { Pod, PodTemplate, PodTemplateSpec, Service } from '../types/core/v1.ts'
import type { EndpointSlice } from '../types/discovery/v1.ts'
import type { ObjectMeta } from '../types/meta/v1.ts'
import type { ResourceSlice } from '../types/resource/v1.ts'
import { sameValue, textOf } from '../validation/common.ts'
import { dns1123Label } from '../validation/formats.ts'
import { podWarnings } from './pod.ts'
import { ingressWarnings, networkPolicyWarnings } from './networking.ts'
import { resourceQuotaWarnings, runtimeClassWarnings } from './quota.ts'
import { serviceWarnings } from './service.ts'
import { claimSpecWarnings, csiDriverWarnings, csiStorageCapacityWarnings, persistentVolumeClaimWarnings, persistentVolumeWarnings, storageClassWarnings } from './storage.ts'

type Warn = (object: never, old: never) => string[]

/** On creation: a name that is no DNS label does not become a host name as it is. */
function nameWarnings(metadata: ObjectMeta | undefined, use: string): string[] {
  const problems = dns1123Label(textOf(metadata?.name))
  return problems.length === 0 ? [] : [`metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`]
}

type Workload = { metadata: ObjectMeta, spec: { template?: PodTemplateSpec } }

/** A workload's template is spoken of when the spec is new. */
const workloadWarnings = (named: boolean) => ({ metadata, spec }: Workload, old: Workload | undefined): string[] => {
  if (old !== undefined && sameValue(spec, old.spec)) return []
  return [...(named && old === undefined ? nameWarnings(metadata, 'Pod names and hostnames') : []), ...podWarnings(spec?.template ?? {}, 'spec.template')]
}

function statefulSetWarnings(set: StatefulSet, old: StatefulSet | undefined): string[] {
  return [
    ...workloadWarnings(false)(set, old),
    ...(set.spec.volumeClaimTemplates ?? []).flatMap((claim, i) => claimSpecWarnings(claim.spec, `spec.volumeClaimTemplates[${i}]${old === undefined ? '' : '.Spec'}`)),
    ...((set.spec.revisionHistoryLimit ?? 0) < 0 ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'] : []),
  ]
}

const manyIndexes = 'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, '
  + 'Kubernetes might not be able to track completedIndexes when a big number of indexes fail'

function jobSpecWarnings(spec: JobSpec | undefined, at: string): string[] {
  const many = spec?.completionMode === 'Indexed' && (spec.completions ?? 0) > 100_000 && (spec.parallelism ?? 0) > 10_000
  return [...(many ? [`${at}: ${manyIndexes}`] : []), ...podWarnings(spec?.template ?? {}, `${at}.template`)]
}

function jobWarnings(job: Job, old: Job | undefined): string[] {
  if (old !== undefined && sameValue(job.spec, old.spec)) return []
  return [...(old === undefined ? nameWarnings(job.metadata, 'Pod names and hostnames') : []), ...jobSpecWarnings(job.spec, 'spec')]
}

function cronJobWarnings(job: CronJob, old: CronJob | undefined): string[] {
  const warnings = old !== undefined && sameValue(job.spec, old.spec) ? []
    : [...(old === undefined ? nameWarnings(job.metadata, 'Pod names and hostnames') : []), ...jobSpecWarnings(job.spec.jobTemplate?.spec, 'spec.jobTemplate.spec')]
  if (old === undefined || !job.spec.schedule?.includes('TZ')) return warnings
  return [...warnings, 'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details']
}

const resourceSliceWarnings = ({ spec }: ResourceSlice): string[] => (spec.driver === spec.driver.toLowerCase() ? []
  : [`spec.driver: driver names should be lowercase; ${JSON.stringify(spec.driver)} contains uppercase characters`])

const podTemplateWarnings = ({ template }: PodTemplate, old: PodTemplate | undefined): string[] => (old !== undefined && sameValue(template, old.template) ? [] : podWarnings(template ?? {}, 'template'))

/** What is said of well-formed objects, one line a kind. */
const kinds: Readonly<Record<string, Warn>> = {
  '/v1/Pod': (pod: Pod, old: Pod | undefined) => [...(old === undefined ? nameWarnings(pod.metadata, "the Pod's hostname") : []), ...podWarnings(pod)],
  '/v1/Service': (service: Service) => serviceWarnings(service),
  '/v1/PersistentVolume': persistentVolumeWarnings,
  '/v1/PersistentVolumeClaim': persistentVolumeClaimWarnings,
  '/v1/PodTemplate': podTemplateWarnings,
  '/v1/ReplicationController': workloadWarnings(true),
  '/v1/ResourceQuota': resourceQuotaWarnings,
  'apps/v1/DaemonSet': (set: DaemonSet, old: DaemonSet | undefined) => workloadWarnings(false)(set, old),
  'apps/v1/Deployment': workloadWarnings(true),
  'apps/v1/ReplicaSet': (set: ReplicaSet, old: ReplicaSet | undefined) => workloadWarnings(true)(set, old),
  'apps/v1/StatefulSet': statefulSetWarnings,
  'batch/v1/CronJob': cronJobWarnings,
  'batch/v1/Job': jobWarnings,
  'networking.k8s.io/v1/Ingress': ingressWarnings,
  'networking.k8s.io/v1/NetworkPolicy': networkPolicyWarnings,
  'node.k8s.io/v1/RuntimeClass': runtimeClassWarnings,
  'resource.k8s.io/v1/ResourceSlice': resourceSliceWarnings,
  'storage.k8s.io/v1/CSIDriver': csiDriverWarnings,
  'storage.k8s.io/v1/CSIStorageCapacity': csiStorageCapacityWarnings,
  'storage.k8s.io/v1/StorageClass': storageClassWarnings,
  'discovery.k8s.io/v1/EndpointSlice': (slice: EndpointSlice) => (slice.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
}

/** The warnings that go with an object's creation (`old` undefined) or update: texts of `Warning` headers, in upstream's words. */
export function warningsOf({ group, version, kind }: GroupVersionKind, object: object, old?: object): string[] {
  return kinds[`${group}/${version}/${kind}`]?.(object as never, old as never) ?? []
}
