import { expect, test } from 'vitest'
import { mountsBelow } from './mounts.ts'

const mountinfo = [
  '22 1 254:0 / / rw - ext4 /dev/vda rw',
  '30 22 0:25 / /var/lib/berth/nodes/n1/kubelet/pods/a/volumes/x rw - tmpfs tmpfs rw',
  '31 30 0:26 / /var/lib/berth/nodes/n1/kubelet/pods/a/volumes/x/deep rw - tmpfs tmpfs rw',
  '32 22 0:27 / /var/lib/berth-other rw - tmpfs tmpfs rw',
  '33 22 0:28 / /run/berth/with\\040space rw - tmpfs tmpfs rw',
].join('\n')

test('mounts below the folders are found deepest first, neighbours with a like name are not', () => {
  expect(mountsBelow(mountinfo, ['/var/lib/berth', '/run/berth'])).toEqual([
    '/run/berth/with space',
    '/var/lib/berth/nodes/n1/kubelet/pods/a/volumes/x/deep',
    '/var/lib/berth/nodes/n1/kubelet/pods/a/volumes/x',
  ])
})
