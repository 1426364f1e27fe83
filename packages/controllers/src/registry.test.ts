import { expect, test } from 'vitest'
import { chooseControllers, controllers } from './registry.ts'

const names = (choice: string[]): string[] => chooseControllers(choice).map((controller) => controller.name)

test('controllers are chosen as --controllers says', () => {
  const offByDefault = ['bootstrap-signer-controller', 'token-cleaner-controller']
  expect(names(['*'])).toEqual(controllers.map(({ name }) => name).filter((name) => !offByDefault.includes(name)))
  expect(names(['*', 'bootstrapsigner', 'tokencleaner'])).toHaveLength(controllers.length)
  expect(names(['*', '-namespace-controller'])).not.toContain('namespace-controller')
  expect(names(['replicaset-controller'])).toEqual(['replicaset-controller'])
  expect(names(['*', '-replicaset'])).not.toContain('replicaset-controller')
  expect(() => names(['*', '-replicasets'])).toThrow('"replicasets" is not in the list of known controllers')
})

test('no two controllers have one name', () => {
  expect(new Set(controllers.map((controller) => controller.name)).size).toBe(controllers.length)
})
