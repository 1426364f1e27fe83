/** Whether API version `left` is at least `right`; both like 1.41. */
export function versionAtLeast(left: string, right: string): boolean {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number)
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number)
  return leftMajor > rightMajor || (leftMajor === rightMajor && leftMinor >= rightMinor)
}
