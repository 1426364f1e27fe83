import { expect, test } from 'vitest'
import { parseRange } from '../ipv4.ts'
import { chooseAddress } from './choose.ts'

const none = (): boolean => false

test.each([
  { title: 'the first is the third of the range', cidr: '10.244.1.0/24', last: undefined, taken: none, want: '10.244.1.2' },
  { title: 'the next follows the last given one, though earlier ones are free', cidr: '10.244.1.0/24', last: '10.244.1.9', taken: none, want: '10.244.1.10' },
  { title: 'after the end it begins again', cidr: '10.244.1.0/24', last: '10.244.1.254', taken: none, want: '10.244.1.2' },
  { title: 'taken ones are passed over', cidr: '10.244.1.0/24', last: undefined, taken: (a: string) => a !== '10.244.1.77', want: '10.244.1.77' },
  { title: 'a full range has none', cidr: '10.244.1.0/29', last: undefined, taken: () => true, want: undefined },
  { title: 'a last one of another range does not matter', cidr: '10.244.1.0/24', last: '10.99.0.1', taken: none, want: expect.stringMatching(/^10\.244\.1\.\d+$/) },
  { title: 'a range of two has none to give', cidr: '10.244.1.0/31', last: undefined, taken: none, want: undefined },
  { title: 'the last address of the range is never given', cidr: '10.244.1.0/30', last: '10.244.1.2', taken: none, want: '10.244.1.2' },
])('$title', ({ cidr, last, taken, want }) => {
  expect(chooseAddress(parseRange(cidr), taken, last)).toEqual(want)
})
