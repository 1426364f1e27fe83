import { describe, expect, test } from 'vitest'
import { checkUser, identityOf, parseGroup, parsePasswd } from './identity.ts'

const image = {
  user: 'web:staff',
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home:/bin/sh\nbroken line\nodd:x:abc:1:::\n',
  group: 'root:x:0:\nstaff:x:50:\nextra:x:2000:web,other\nnone:x:2001:\n',
}

describe('as whom a container runs', () => {
  test.each([
    ['the image says', {}, { uid: 1000, gid: 50, supplementalGroups: [50, 2000] }],
    ['the pod names a number that the image knows', { runAsUser: { value: 1000n } }, { uid: 1000, gid: 1000, supplementalGroups: [1000, 2000] }],
    ['the pod names a number that the image does not know', { runAsUser: { value: 4000n } }, { uid: 4000, gid: 0, supplementalGroups: [0] }],
    ['the pod names a user and a group, and keeps the image’s groups', { runAsUsername: 'web', runAsGroup: { value: 7n } }, { uid: 1000, gid: 7, supplementalGroups: [7, 2000] }],
    ['groups are added to the image’s', { runAsUser: { value: 1000n }, supplementalGroups: [1234n, 2000n] }, { uid: 1000, gid: 1000, supplementalGroups: [1000, 1234, 2000] }],
    ['groups are strict', { runAsUser: { value: 1000n }, supplementalGroups: [1234n], supplementalGroupsPolicy: 'Strict' as const }, { uid: 1000, gid: 1000, supplementalGroups: [1000, 1234] }],
    ['the name is nobody’s', { runAsUsername: 'ghost' }, undefined],
  ])('%s', (_name, context, expected) => {
    expect(identityOf(context, image)).toEqual(expected)
  })

  test('an image that says nothing runs as root', () => {
    expect(identityOf({}, { user: '', passwd: '', group: '' })).toEqual({ uid: 0, gid: 0, supplementalGroups: [0] })
  })
})

test('lines that are none are passed over', () => {
  expect(parsePasswd(image.passwd).map(({ name }) => name)).toEqual(['root', 'web'])
  expect(parseGroup('a:x:1:\n:x:2:\nb:x:y:\n').map(({ name }) => name)).toEqual(['a'])
})

test('a group without a user, and a user named twice, are refused by field', () => {
  expect(() => checkUser({ runAsGroup: { value: 1n } })).toThrow('security_context.run_as_group')
  expect(() => checkUser({ runAsUser: { value: 1n }, runAsUsername: 'web' })).toThrow('only one of')
})
