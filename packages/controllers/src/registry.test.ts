import { expect, test } from 'vitest'
import { chooseControllers, controllers } from './registry.ts'

const names = (choice: string[]): string[] => chooseControllers(choice).map((controller) => controller.name)

test('controllers are chosen as --controllers says', () => {
  expect(names(['*'])).toHaveLength(controllers.length)
  expect(names(['*', '-namespace-controller'])).not.toContain('namespace-controller')
  expect(names(['replicaset-controller'])).toEqual(['replicaset-controller'])
  expect(() => names(['*', '-replicaset'])).toThrow('"replicaset" is not in the list of known controllers')
})

test('no two controllers have one name', () => {
  expect(new Set(controllers.map((controller) => controller.name)).size).toBe(controllers.length)
})
