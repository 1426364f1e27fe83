import type { Secret } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { detachedSignature, signedData } from './signatures.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const token = (id: string, values: Record<string, string> = {}): Secret => ({
  type: 'bootstrap.kubernetes.io/token', metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
  data: Object.fromEntries(Object.entries({ 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true', ...values }).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
})
const by = (id: string): Record<string, string> => ({ [`jws-kubeconfig-${id}`]: detachedSignature('hello', id, '0123456789abcdef') })

test('a signature is a JWS without its content', () => {
  const [header = '', content, signature] = detachedSignature('hello', 'abcdef', '0123456789abcdef').split('.')
  expect([Buffer.from(header, 'base64url').toString(), content]).toEqual(['{"alg":"HS256","kid":"abcdef"}', ''])
  expect(signature).toMatch(/^[\w-]{43}$/)
  expect(detachedSignature('hello', 'abcdef', 'fedcba9876543210')).not.toBe(detachedSignature('hello', 'abcdef', '0123456789abcdef'))
})

test.each<[string, Record<string, string>, Secret[], Record<string, string> | undefined]>([
  ['a new token signs', { kubeconfig: 'hello' }, [token('aaaaaa')], { kubeconfig: 'hello', ...by('aaaaaa') }],
  ['all tokens sign', { kubeconfig: 'hello', ...by('aaaaaa') }, [token('aaaaaa'), token('bbbbbb')], { kubeconfig: 'hello', ...by('aaaaaa'), ...by('bbbbbb') }],
  ['nothing changes', { kubeconfig: 'hello', ...by('aaaaaa') }, [token('aaaaaa')], undefined],
  ['a token is gone', { kubeconfig: 'hello', ...by('aaaaaa') }, [], { kubeconfig: 'hello' }],
  ['a token has ended', { kubeconfig: 'hello', ...by('aaaaaa') }, [token('aaaaaa', { expiration: '2025-12-31T23:59:59Z' })], { kubeconfig: 'hello' }],
  ['a token does not sign', { kubeconfig: 'hello' }, [token('aaaaaa', { 'usage-bootstrap-signing': 'false' })], undefined],
  ['the kubeconfig has changed', { kubeconfig: 'hello', 'jws-kubeconfig-aaaaaa': 'old' }, [token('aaaaaa')], { kubeconfig: 'hello', ...by('aaaaaa') }],
  ['other data stays', { kubeconfig: 'hello', more: 'x' }, [token('aaaaaa')], { kubeconfig: 'hello', more: 'x', ...by('aaaaaa') }],
  ['there is no kubeconfig', { more: 'x' }, [token('aaaaaa')], undefined],
])('%s', (_name, data, secrets, wanted) => {
  expect(signedData(data, secrets, now)).toEqual(wanted)
})
