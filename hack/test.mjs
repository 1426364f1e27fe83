#!/usr/bin/env node
// `npm test`: sets up what is missing, then lint, types, unit tests, the parts' suites and the end-to-end suite.
// Ends with one plain line: N passed, N failed, N skipped. Every skip prints its reason.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { environment, root } from './lib/workspace.mjs'
import { setUp } from './setup.mjs'

const started = Date.now()
setUp({ tests: true })
const env = environment()
const total = { passed: 0, failed: 0, skipped: 0 }

function check(name, argv) {
  console.log(`\n== ${name}`)
  const result = spawnSync(argv[0], argv.slice(1), { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  total[result.status === 0 ? 'passed' : 'failed'] += 1
}

/** Runs one of vitest's projects and adds up its report. A run that dies without a report is a failure. */
function suite(project) {
  console.log(`\n== ${project} tests`)
  const report = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'berth-test-')), 'report.json')
  const result = spawnSync('vitest', ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (!fs.existsSync(report)) {
    total.failed += 1
    return
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(fs.readFileSync(report, 'utf8'))
  fs.rmSync(path.dirname(report), { recursive: true })
  total.passed += numPassedTests
  total.failed += numFailedTests
  total.skipped += numPendingTests + numTodoTests
  // A suite that could not even be loaded has no test that failed.
  if (result.status !== 0 && numFailedTests === 0) total.failed += 1
  for (const file of testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'pending' || test.status === 'skipped') console.log(`skipped: ${path.relative(root, file.name)}: ${test.fullName}${test.meta?.reason ? `: ${test.meta.reason}` : ''}`)
    }
  }
}

const only = process.argv.slice(2)
const wanted = (name) => only.length === 0 || only.includes(name)
if (wanted('lint')) {
  check('lint', ['oxlint', '--deny-warnings'])
  check('dead code', ['knip', '--no-config-hints'])
}
if (wanted('types')) check('types', ['tsc', '--noEmit', '-p', 'tsconfig.json'])
for (const project of ['unit', 'parts', 'e2e']) if (wanted(project)) suite(project)

console.log(`\n${Math.round((Date.now() - started) / 1000)} s`)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed > 0 ? 1 : 0)
