import { describe, expect, test } from 'vitest'
import { exitCodeOf, exitStatus, failureStatus, parseStatus } from '../status.ts'
import { remoteCommandOptions } from './server.ts'
import { Resizes, type TerminalSize } from './session.ts'

describe('terminal sizes', () => {
  const sizesOf = (...pieces: string[]): TerminalSize[] => {
    const sizes: TerminalSize[] = []
    const resizes = new Resizes()
    resizes.onResize((size) => sizes.push(size))
    for (const piece of pieces) resizes.receive(Buffer.from(piece))
    return sizes
  }

  test('are read one after the other, wherever the bytes are cut', () => {
    expect(sizesOf('{"Width":80,"Hei', 'ght":24}\n{"Width":100,"Height":30}', '\n')).toEqual([
      { width: 80, height: 24 },
      { width: 100, height: 30 },
    ])
  })

  test('that are none are passed over', () => {
    expect(sizesOf('{"Width":-1,"Height":24}', 'x}', '{"Width":"1","Height":1}', '}}}', '{"Width":1,"Height":2}')).toEqual([{ width: 1, height: 2 }])
  })

  test('are told to whoever asks later', () => {
    const resizes = new Resizes()
    resizes.receive(Buffer.from('{"Width":1,"Height":2}'))
    const sizes: TerminalSize[] = []
    resizes.onResize((size) => sizes.push(size))
    expect(sizes).toEqual([{ width: 1, height: 2 }])
  })
})

describe('a status', () => {
  test('carries the exit code as upstream writes it', () => {
    expect(exitStatus(0)).toEqual({ metadata: {}, status: 'Success' })
    expect(exitStatus(3)).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '3' }] } })
    expect(exitCodeOf(parseStatus(JSON.stringify(exitStatus(3))))).toBe(3)
    expect(exitCodeOf(parseStatus(JSON.stringify(exitStatus(0))))).toBe(0)
  })

  test('of a failure is an internal error and has no exit code', () => {
    const status = failureStatus('error executing command in container', new Error('no such container'))
    expect(status).toMatchObject({ code: 500, reason: 'InternalError', message: 'Internal error occurred: error executing command in container: no such container' })
    expect(exitCodeOf(status)).toBeUndefined()
  })

  test('of an older protocol is plain text, and nothing on success', () => {
    expect(parseStatus('')).toEqual({ metadata: {}, status: 'Success' })
    expect(parseStatus('no such file')).toEqual({ metadata: {}, status: 'Failure', message: 'no such file' })
  })
})

test.each([
  ['stdin=true&stdout=true&stderr=true', { stdin: true, stdout: true, stderr: true, tty: false }],
  ['input=1&output=1&error=1&tty=1', { stdin: true, stdout: true, stderr: false, tty: true }],
  ['command=ls&output=1', { stdin: false, stdout: true, stderr: false, tty: false }],
])('the query %s asks for its streams', (query, options) => {
  expect(remoteCommandOptions(new URLSearchParams(query))).toEqual(options)
})
