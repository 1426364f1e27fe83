// Every command of the kubectl that is installed has a test whose name begins with it: 'kubectl create token: ...', 'kubectl config set, config unset: ...'.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { hasKubectl } from '../support/cli.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../../..')
/** Where kubectl's commands are tested: on an API server alone, with controllers, on nodes. */
const folders = ['packages/apiserver/test/kubectl', 'packages/controllers/test', 'e2e/suites']

/** The names below the headings of commands in a help text; what plugins add is none of kubectl's. */
function namesIn(help: string): string[] {
  const sections = help.split(/\n(?=[A-Z][^\n]*:\n)/)
  return sections.filter((section) => /^[^\n]*Commands[^\n]*:\n/.test(section)).flatMap((section) => [...section.matchAll(/^ {2}([a-z][\w-]*) /gm)].map((match) => match[1] ?? ''))
}

/** Every command that does something, its parents before it; groups that only hold others do nothing. */
async function commandsUnder(path: readonly string[]): Promise<string[]> {
  const { stdout: help } = await run('kubectl', [...path, '--help'])
  const below = (await Promise.all(namesIn(`\n${help}`).map((name) => commandsUnder([...path, name])))).flat()
  const usage = /^Usage:\n +(.*)$/m.exec(help)?.[1] ?? ''
  const groups = below.length > 0 && !/-f FILENAME|cluster-info \[flags\]/.test(usage)
  return path.length === 0 || groups ? below : [path.join(' '), ...below]
}

/** The commands that the names of tests begin with. */
function testedCommands(): Set<string> {
  const names = folders.flatMap((folder) => readdirSync(join(root, folder)).filter((file) => file.endsWith('.test.ts')).flatMap((file) => {
    const text = readFileSync(join(root, folder, file), 'utf8')
    return [...text.matchAll(/['"`]kubectl ([a-z][a-z -]*(?:, [a-z][a-z -]*)*): /g)].map((match) => match[1] ?? '')
  }))
  return new Set(names.flatMap((name) => name.split(', ')))
}

describe.skipIf(!hasKubectl)('the reference of kubectl', () => {
  test('every command has a test on its result, and every such test has a command', async () => {
    const commands = [...await commandsUnder([]), 'options'].sort()
    expect(commands.length).toBeGreaterThan(80)
    const tested = testedCommands()
    expect({ untested: commands.filter((command) => !tested.has(command)), unknown: [...tested].filter((command) => !commands.includes(command)) }).toEqual({ untested: [], unknown: [] })
  })
})
