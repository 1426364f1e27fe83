import { expect, test } from 'vitest'
import { fullName, parseReference } from './reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

test.each([
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['a/b', 'docker.io/a/b:latest'],
  ['localhost/b:x', 'localhost/b:x'],
  ['127.0.0.1:5000/b', '127.0.0.1:5000/b:latest'],
  ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
  [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
  [`nginx:1@${digest}`, `docker.io/library/nginx:1@${digest}`],
])('%s is %s', (text, whole) => {
  const reference = parseReference(text)
  expect(reference && fullName(reference)).toBe(whole)
})

test.each(['', 'Nginx', 'a//b', 'a b', 'nginx@sha256:short', ':x'])('%j is no name', (text) => {
  expect(parseReference(text)).toBeUndefined()
})
