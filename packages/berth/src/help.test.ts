import { expect, test } from 'vitest'
import { overview } from './help.ts'
import { commands } from './registry.ts'

test('the overview lists every command with its summary, each once', () => {
  const lines = overview(commands).split('\n')
  for (const [name, { summary }] of Object.entries(commands)) expect(lines.filter((line) => line.trim() === `${name.padEnd(13)}  ${summary}`), name).toHaveLength(1)
})

test('commands stand under their groups\' headings, those for people first', () => {
  const places = ['A whole cluster', '\n  up ', 'One part', '\n  kubelet ', 'What the supervisor runs', '\n  agent '].map((text) => overview(commands).indexOf(text))
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(places).not.toContain(-1)
})
