import { batch } from '@berth/api'
import type { Job } from '@berth/api/types/batch/v1'
import type { Container, Pod } from '@berth/api/types/core/v1'
import { controllerReference } from '../common/owners.ts'
import { completionIndexKey, failureCountKey, ignoredFailureCountKey, isIndexed, nextFailureCounts, trackingFinalizer } from './pods.ts'

const indexVariable = 'JOB_COMPLETION_INDEX'
const maxGeneratedLength = 58

/** The pod that a job makes, for an index where it has any; `replaced` is the pod of that index that failed before. */
export function podOf(job: Job, index?: number, replaced?: Pod): Pod {
  const { metadata = { name: '' }, spec = { containers: [] } } = job.spec.template
  const at: Record<string, string> = index === undefined ? {} : { [completionIndexKey]: String(index) }
  const labels: Record<string, string> = { ...metadata.labels, ...at }
  const annotations: Record<string, string> = { ...metadata.annotations, ...at, ...(index === undefined ? {} : failureAnnotations(job, replaced)) }
  const body = structuredClone(spec)
  if (isIndexed(job)) for (const container of [...body.initContainers ?? [], ...body.containers]) addIndexVariable(container)
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: {
      name: '', generateName: index === undefined ? `${job.metadata.name}-` : indexedName(job.metadata.name, index), namespace: job.metadata.namespace,
      finalizers: [...new Set([...metadata.finalizers ?? [], trackingFinalizer])], ownerReferences: [controllerReference(job, batch.jobs)],
      ...(Object.keys(labels).length === 0 ? {} : { labels }), ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: { ...body, ...(index === undefined ? {} : { hostname: `${job.metadata.name}-${index}` }) },
  }
}

function failureAnnotations(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (job.spec.backoffLimitPerIndex === undefined) return {}
  const { counted, ignored } = nextFailureCounts(job, replaced)
  return { [failureCountKey]: String(counted), ...(ignored > 0 ? { [ignoredFailureCountKey]: String(ignored) } : {}) }
}

function addIndexVariable(container: Container): void {
  if (container.env?.some(({ name }) => name === indexVariable)) return
  container.env = [...container.env ?? [], { name: indexVariable, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${completionIndexKey}']` } } }]
}

function indexedName(job: string, index: number): string {
  const end = `-${index}-`
  return `${job.slice(0, maxGeneratedLength - end.length)}${end}`
}
