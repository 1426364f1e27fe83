import { defineConfig } from 'vitest/config'

// Three kinds of suites: unit (pure, beside the code), parts (a part against the real Engine, kernel or socket), e2e (a whole cluster).
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['packages/*/src/**/*.test.ts'], testTimeout: 20_000 } },
      { test: { name: 'parts', include: ['packages/*/test/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 180_000, fileParallelism: false, pool: 'forks' } },
      { test: { name: 'e2e', include: ['e2e/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false, pool: 'forks' } },
    ],
  },
})
