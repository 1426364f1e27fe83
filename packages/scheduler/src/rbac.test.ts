import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseYaml } from '@berth/kube'
import { schedulerRules } from './rbac.ts'

test('the chart gives the scheduler these rules', async () => {
  const file = new URL('../../../charts/berth/files/scheduler-rules.yaml', import.meta.url)
  expect(await parseYaml(readFileSync(file, 'utf8'))).toEqual(schedulerRules)
})
