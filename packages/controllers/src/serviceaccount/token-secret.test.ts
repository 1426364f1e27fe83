import type { Secret, ServiceAccount } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { filled, isOf } from './token-secret.ts'

const account: ServiceAccount = { metadata: { name: 'bot', namespace: 'a', uid: '1' } }
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const secret = (data: Record<string, string> = {}, annotations: Record<string, string> = { 'kubernetes.io/service-account.name': 'bot' }): Secret => ({ metadata: { name: 's', namespace: 'a', annotations }, type: 'kubernetes.io/service-account-token', data })
const sign = (claims: Record<string, unknown>): string => String(claims['sub'])
const whole = { token: base64('system:serviceaccount:a:bot'), namespace: base64('a'), 'ca.crt': base64('CA') }

test.each<[string, Record<string, string>, Record<string, string> | undefined]>([
  ['an empty one', {}, whole],
  ['one without a token', { namespace: base64('a'), 'ca.crt': base64('CA') }, whole],
  ['one with another authority', { ...whole, 'ca.crt': base64('old') }, whole],
  ['one with further data', { mine: 'x' }, { ...whole, mine: 'x' }],
  ['one with a token of somebody’s own', { ...whole, token: 'x' }, undefined],
  ['a whole one', whole, undefined],
])('%s', (_name, data, wanted) => {
  const made = filled(secret(data), account, 'CA', sign)
  expect(made?.data).toEqual(wanted)
  if (wanted) expect(made?.metadata.annotations).toEqual({ 'kubernetes.io/service-account.name': 'bot', 'kubernetes.io/service-account.uid': '1' })
})

test.each([
  ['its account', {}, true],
  ['its account, by uid', { 'kubernetes.io/service-account.uid': '1' }, true],
  ['an account of the same name that came later', { 'kubernetes.io/service-account.uid': '0' }, false],
  ['another account', { 'kubernetes.io/service-account.name': 'other' }, false],
])('a Secret is of %s', (_name, annotations, wanted) => {
  expect(isOf(secret({}, { 'kubernetes.io/service-account.name': 'bot', ...annotations }), account)).toBe(wanted)
})
