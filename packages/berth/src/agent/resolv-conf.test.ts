import { expect, test } from 'vitest'
import { usableResolvConf } from './resolv-conf.ts'

const files = (known: Record<string, string>) => (file: string): string | undefined => known[file]

test('a stub on loopback is passed over for the servers behind it', () => {
  const found = usableResolvConf(files({ '/etc/resolv.conf': 'nameserver 127.0.0.53\n', '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.1\nsearch example.org\n' }))
  expect(found).toEqual({ text: 'nameserver 192.0.2.1\nsearch example.org\n', nameservers: ['192.0.2.1'] })
})

test('servers on loopback are left out beside real ones', () => {
  expect(usableResolvConf(files({ '/etc/resolv.conf': 'nameserver ::1\nnameserver 192.0.2.1' }))).toEqual({ text: 'nameserver 192.0.2.1', nameservers: ['192.0.2.1'] })
})

test('a machine that knows no server gives none', () => {
  expect(usableResolvConf(files({ '/etc/resolv.conf': 'nameserver 127.0.0.1\n' }))).toBeUndefined()
})
