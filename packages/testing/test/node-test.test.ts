// The example's file for Node's own test runner, run as its reader would.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a cluster serves node:test, and the process ends by itself', async () => {
  const example = new URL('../../../examples/testing-typescript-operator/', import.meta.url).pathname
  // Not as a part of the run around it.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', '--test', 'test/node-test.ts'], { cwd: example, env, timeout: 100_000 })
  expect(stdout).toMatch(/pass 1\n/)
  expect(stdout).toMatch(/fail 0\n/)
})
