import type { Secret } from '@berth/api/types/core/v1'
import { describe, expect, it } from 'vitest'
import { planImageGarbage } from './garbage.ts'
import { credentialsFor } from './keyring.ts'
import { defaultPullPolicy, parseImage } from './reference.ts'

describe('image names', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'], ['nginx:1', 'docker.io/library/nginx:1'], ['me/app', 'docker.io/me/app:latest'], ['localhost/app:2', 'localhost/app:2'], ['localhost:5000/a/b', 'localhost:5000/a/b:latest'],
    ['gcr.io/x/y@sha256:' + 'a'.repeat(64), 'gcr.io/x/y@sha256:' + 'a'.repeat(64)],
  ])('%s means %s', (name, full) => expect(parseImage(name).full).toBe(full))
  it.each(['', 'UPPER', 'me/APP', 'a b', 'x:', 'nginx@sha256:short'])('%j is none', (name) => expect(() => parseImage(name)).toThrow('invalid reference format'))
  it.each([['nginx', 'Always'], ['nginx:latest', 'Always'], ['nginx:1', 'IfNotPresent'], ['nginx@sha256:' + 'a'.repeat(64), 'IfNotPresent']])('%s is pulled %s', (name, policy) => expect(defaultPullPolicy(name)).toBe(policy))
})

describe('pull secrets', () => {
  const secret = (auths: object): Secret => ({ metadata: { name: 's' }, data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') } })
  const auth = Buffer.from('user:pa:ss').toString('base64')
  it.each([
    ['https://index.docker.io/v1/', 'nginx', 1], ['registry.example:5000', 'registry.example:5000/a/b', 1], ['registry.example', 'registry.example:5000/a/b', 0], ['*.example.com', 'eu.example.com/x', 1], ['*.example.com', 'a.b.example.com/x', 0],
    ['gcr.io/team', 'gcr.io/team/app', 1], ['gcr.io/team', 'gcr.io/teammate/app', 0],
  ])('of %s fit %s: %i', (server, image, count) => expect(credentialsFor(image, [secret({ [server]: { auth } })])).toHaveLength(count))
  it('are decoded, the most specific first', () => {
    const found = credentialsFor('gcr.io/team/app', [secret({ 'gcr.io': { username: 'general', password: 'x' }, 'gcr.io/team': { auth } })])
    expect(found.map((c) => [c.username, c.password])).toEqual([['user', 'pa:ss'], ['general', 'x']])
  })
})

describe('image garbage', () => {
  const image = (id: string, size: bigint, pinned = false) => ({ id, repoTags: [`${id}:1`], repoDigests: [], size, username: '', pinned })
  const images = [image('used', 10n), image('old', 10n), image('recent', 10n), image('young', 10n), image('pinned', 10n, true)]
  const seen = new Map([['used', { detected: 0, lastUsed: 900 }], ['old', { detected: 0, lastUsed: 1 }], ['recent', { detected: 0, lastUsed: 800 }], ['young', { detected: 990, lastUsed: 0 }], ['pinned', { detected: 0, lastUsed: 0 }]])
  const input = { images, used: new Set(['used:1']), seen, now: 1000, minimumAgeMs: 100, maximumAgeMs: 0 }
  it.each([[0n, 0, []], [5n, 0, ['old']], [15n, 0, ['old', 'recent']], [1000n, 0, ['old', 'recent']], [0n, 500, ['old']]] as const)('to free %i bytes with a maximum age of %i: %j', (bytesToFree, maximumAgeMs, expected) =>
    expect(planImageGarbage({ ...input, bytesToFree, maximumAgeMs })).toEqual(expected))
})
