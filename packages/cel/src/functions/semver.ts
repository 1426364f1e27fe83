import { CelEvaluationError } from '../errors.ts'
import { readsFirst } from './cost.ts'
import { overload } from './overload.ts'
import { OpaqueValue } from '../values/value.ts'
import type { Overload } from './overload.ts'

/** A version of semver 2.0.0; build metadata takes no part in its order. */
export class SemverValue extends OpaqueValue {
  readonly typeName = 'kubernetes.Semver'
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly prerelease: readonly (bigint | string)[]

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly (bigint | string)[]) {
    super()
    this.numbers = numbers
    this.prerelease = prerelease
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof SemverValue && this.compare(other) === 0
  }

  compare(other: SemverValue): number {
    for (const [index, number] of this.numbers.entries()) {
      const order = sign(number, other.numbers[index] ?? 0n)
      if (order !== 0) return order
    }
    if (this.prerelease.length === 0 || other.prerelease.length === 0) return Math.sign(other.prerelease.length) - Math.sign(this.prerelease.length)
    for (const [index, part] of this.prerelease.entries()) {
      const theirs = other.prerelease[index]
      if (theirs === undefined) return 1
      // A number comes before a word.
      const order = typeof part === typeof theirs ? sign(part, theirs) : typeof part === 'bigint' ? -1 : 1
      if (order !== 0) return order
    }
    return Math.sign(this.prerelease.length - other.prerelease.length)
  }
}

function sign(a: bigint | string, b: bigint | string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function number(text: string, what: string): bigint {
  if (!/^\d+$/.test(text)) throw new CelEvaluationError(`Invalid character(s) found in ${what.toLowerCase()} number ${JSON.stringify(text)}`)
  if (text.length > 1 && text.startsWith('0')) throw new CelEvaluationError(`${what} number must not contain leading zeroes ${JSON.stringify(text)}`)
  const value = BigInt(text)
  if (value >= 2n ** 64n) throw new CelEvaluationError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`)
  return value
}

function prereleasePart(text: string): bigint | string {
  if (text === '') throw new CelEvaluationError('Prerelease is empty')
  if (/^\d+$/.test(text)) {
    if (text.length > 1 && text.startsWith('0')) throw new CelEvaluationError(`Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(text)}`)
    return BigInt(text)
  }
  if (!/^[\dA-Za-z-]+$/.test(text)) throw new CelEvaluationError(`Invalid character(s) found in prerelease ${JSON.stringify(text)}`)
  return text
}

/** Reads a strict version. Throws {@link CelEvaluationError} in the words of upstream's semver library. */
export function parseSemver(text: string): SemverValue {
  if (text === '') throw new CelEvaluationError('Version string empty')
  const [majorText, minorText, ...patchParts] = text.split('.')
  if (minorText === undefined || patchParts.length === 0) throw new CelEvaluationError('No Major.Minor.Patch elements found')
  const major = number(majorText ?? '', 'Major')
  const minor = number(minorText, 'Minor')
  let patchText = patchParts.join('.')
  let build: string[] = []
  let prerelease: string[] = []
  const plus = patchText.indexOf('+')
  if (plus >= 0) {
    build = patchText.slice(plus + 1).split('.')
    patchText = patchText.slice(0, plus)
  }
  const dash = patchText.indexOf('-')
  if (dash >= 0) {
    prerelease = patchText.slice(dash + 1).split('.')
    patchText = patchText.slice(0, dash)
  }
  const patch = number(patchText, 'Patch')
  const parts = prerelease.map(prereleasePart)
  for (const part of build) {
    if (part === '') throw new CelEvaluationError('Build meta data is empty')
    if (!/^[\dA-Za-z-]+$/.test(part)) throw new CelEvaluationError(`Invalid character(s) found in build meta data ${JSON.stringify(part)}`)
  }
  return new SemverValue([major, minor, patch], parts)
}

/** Makes "v1.02" into "1.2.0": no `v`, no leading zeros, three numbers. */
function normalized(text: string): string {
  const [first = '', second, ...rest] = text.replace(/^v/, '').split('.')
  const parts = [first, ...(second === undefined ? [] : [second]), ...(rest.length === 0 ? [] : [rest.join('.')])].map(part => {
    if (part.length <= 1) return part
    const trimmed = part.replace(/^0+/, '')
    return /^\d/.test(trimmed) ? trimmed : `0${trimmed}`
  })
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? '')) throw new CelEvaluationError('short version cannot contain PreRelease/Build meta data')
  while (parts.length < 3) parts.push('0')
  return parts.join('.')
}

function parses(parse: () => SemverValue): boolean {
  try {
    parse()
    return true
  } catch (error) {
    if (error instanceof CelEvaluationError) return false
    throw error
  }
}

const parse = (text: string, normalize: boolean): SemverValue => parseSemver(normalize ? normalized(text) : text)
const type = 'kubernetes.Semver'

/** Kubernetes' semver library. */
export const semvers: readonly Overload[] = [
  overload(`semver(string): ${type}`, parseSemver, readsFirst()),
  overload(`semver(string, bool): ${type}`, parse, readsFirst()),
  overload('isSemver(string): bool', (text: string) => parses(() => parseSemver(text)), readsFirst()),
  overload('isSemver(string, bool): bool', (text: string, normalize: boolean) => parses(() => parse(text, normalize)), readsFirst()),
  overload(`${type}->isGreaterThan(${type}): bool`, (a: SemverValue, b: SemverValue) => a.compare(b) > 0),
  overload(`${type}->isLessThan(${type}): bool`, (a: SemverValue, b: SemverValue) => a.compare(b) < 0),
  overload(`${type}->compareTo(${type}): int`, (a: SemverValue, b: SemverValue) => BigInt(a.compare(b))),
  ...['major', 'minor', 'patch'].map((name, index) => overload(`${type}->${name}(): int`, (a: SemverValue) => a.numbers[index] ?? 0n)),
]
