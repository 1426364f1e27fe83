import { describe, expect, it } from 'vitest'
import { defaultFeatures, featureGates } from '../features.ts'
import type { ApiObject } from '../interfaces.ts'
import { valueAt } from '../registry/values.ts'
import { storedResources } from './index.ts'

const user = { name: 'u', groups: [] }
const spec = (grouped: boolean) => ({ containers: [], ...(grouped ? { schedulingGroup: { podGroupName: 'g' } } : {}) })
const pod = (grouped: boolean): ApiObject => ({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p' }, spec: spec(grouped) })
const cronJob = (grouped: boolean): ApiObject => ({ kind: 'CronJob', apiVersion: 'batch/v1', metadata: { name: 'c' }, spec: { jobTemplate: { spec: { template: { spec: spec(grouped) } } } } })
const of = (resource: string) => storedResources.find((d) => d.resource.resource === resource)
const on = featureGates({ GenericWorkload: true })

describe.each<[string, (grouped: boolean) => ApiObject, string[]]>([['pods', pod, ['spec']], ['cronjobs', cronJob, ['spec', 'jobTemplate', 'spec', 'template', 'spec']]])('the scheduling group of %s', (resource, make, place) => {
  const groupOf = (object: ApiObject) => valueAt(object, ...place, 'schedulingGroup')

  it('is dropped unless its gate is on', () => {
    const [off, kept] = [make(true), make(true)]
    of(resource)?.prepareForCreate?.(off, defaultFeatures, user)
    of(resource)?.prepareForCreate?.(kept, on, user)
    expect([groupOf(off), groupOf(kept)]).toEqual([undefined, { podGroupName: 'g' }])
  })

  it('stays where it was stored before', () => {
    const [kept, dropped] = [make(true), make(true)]
    of(resource)?.prepareForUpdate?.(kept, make(true), defaultFeatures)
    of(resource)?.prepareForUpdate?.(dropped, make(false), defaultFeatures)
    expect([groupOf(kept), groupOf(dropped)]).toEqual([{ podGroupName: 'g' }, undefined])
  })
})
