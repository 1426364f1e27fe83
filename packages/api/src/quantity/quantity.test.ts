import { describe, expect, it } from 'vitest'
import { parseQuantity, quantityOf, sumQuantities, tryParseQuantity } from './index.ts'

describe('a quantity', () => {
  it.each([
    ['0', '0'], ['1000m', '1'], ['0.5', '500m'], ['1500m', '1500m'], ['100m', '100m'], ['2.5Gi', '2560Mi'], ['1024Mi', '1Gi'], ['0.5Gi', '512Mi'],
    ['1Ki', '1Ki'], ['1023Ki', '1023Ki'], ['1e3', '1e3'], ['1000e3', '1e6'], ['1000k', '1M'], ['12E', '12E'], ['1.5Ki', '1536'], ['0.1Ki', '102400m'], ['-1', '-1'], ['+5', '5'],
    ['0.0000000001', '1n'], ['100n', '100n'], ['1.1', '1100m'], ['.5', '500m'], ['5.', '5'], ['00010', '10'], ['9223372036854775807', '9223372036854775807'],
    ['99999999999999999999', '9223372036854775807'], ['1Ei', '1Ei'], ['512', '512'], ['-1.5Gi', '-1536Mi'],
  ])('%s is written %s', (text, canonical) => {
    expect(parseQuantity(text).toString()).toBe(canonical)
  })

  it.each([
    ['', 'quantities must match'], ['abc', 'quantities must match'], ['1 Gi', 'quantities must match'], ['1Gi1x', 'quantities must match'], ['1..5', 'quantities must match'],
    ['1GiB', 'quantities must match'], ['1kk', "unable to parse quantity's suffix"], ['1Gi5', "unable to parse quantity's suffix"], ['1e', "unable to parse quantity's suffix"], ['.', 'unable to parse numeric part'],
  ])('refuses %j: %s', (text, problem) => {
    expect(() => parseQuantity(text)).toThrow(problem)
    expect(tryParseQuantity(text)).toBeUndefined()
  })

  it('rounds values and milli values away from zero', () => {
    expect(parseQuantity('1.2').value()).toBe(2n)
    expect(parseQuantity('-1.2').value()).toBe(-2n)
    expect(parseQuantity('0.0001').milliValue()).toBe(1n)
    expect(parseQuantity('1n').roundUpToMilli().toString()).toBe('1m')
  })

  it('adds, subtracts and compares exactly, and zero takes over the format', () => {
    expect(parseQuantity('1Gi').add(parseQuantity('512Mi')).toString()).toBe('1536Mi')
    expect(parseQuantity('1').sub(parseQuantity('100m')).toString()).toBe('900m')
    expect(parseQuantity('1024Mi').cmp(parseQuantity('1Gi'))).toBe(0)
    expect(parseQuantity('0').add(parseQuantity('2Gi')).toString()).toBe('2Gi')
    expect(sumQuantities(['100m', undefined, '1']).toString()).toBe('1100m')
    expect(quantityOf(1024, 'BinarySI').toString()).toBe('1Ki')
  })
})
