import { expect, test } from 'vitest'
import { defaultNetConf, parseNetConf } from './config.ts'

test('net-conf.json of a stock flannel installation with host-gw is read', () => {
  expect(parseNetConf('{"Network":"10.244.0.0/16","Backend":{"Type":"host-gw"}}')).toEqual(defaultNetConf)
})

test.each([
  ['{', 'net-conf.json: '],
  ['[]', 'net-conf.json: an object is required'],
  ['{}', 'net-conf.json: Network: a range'],
  ['{"Network":"10.244.0.0"}', '"10.244.0.0" is no IPv4 range'],
  ['{"Network":"fd00::/48"}', 'IPv6 ranges are not supported yet'],
  ['{"Network":"10.0.0.0/8","Netwrk":1}', 'unknown field "Netwrk"'],
  ['{"Network":"10.0.0.0/8","Backend":{"Type":"vxlan"}}', 'Backend.Type: "vxlan" is not supported (supported: host-gw)'],
  ['{"Network":"10.0.0.0/8","Backend":{"Type":"host-gw","VNI":1}}', 'Backend.VNI: the backend host-gw does not know this field'],
  ['{"Network":"10.0.0.0/8","Backend":{"Type":"host-gw","MTU":"1"}}', 'Backend.MTU: must be an integer'],
  ['{"Network":"10.0.0.0/8","EnableIPv6":true}', 'EnableIPv6'],
])('%s is refused with the field', (text, words) => {
  expect(() => parseNetConf(text)).toThrow(words)
})
