import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The end-to-end suites share one cluster: they run in the order of their names. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => a.moduleId.localeCompare(b.moduleId))
  }
}

// Three kinds of suites: unit (pure, beside the code), parts (a part against the real Engine, kernel or socket), e2e (a whole cluster).
export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    projects: [
      { test: { name: 'unit', include: ['packages/*/src/**/*.test.ts'], testTimeout: 20_000 } },
      { test: { name: 'parts', include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 180_000, fileParallelism: false, pool: 'forks' } },
      { test: { name: 'e2e', include: ['e2e/**/*.test.ts'], globalSetup: ['e2e/support/setup.ts'], testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false, pool: 'forks' } },
    ],
  },
})
