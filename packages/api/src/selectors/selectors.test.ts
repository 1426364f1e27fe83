import { describe, expect, it } from 'vitest'
import { formatLabelSelector, labelSelectorMatcher, SelectorError, parseFieldSelector, parseLabelSelector } from './index.ts'

describe('a label selector', () => {
  it.each([
    ['', ''], ['a=b', 'a=b'], ['a==b', 'a==b'], ['b!=c,a', 'a,b!=c'], ['!a', '!a'], ['x in (c,a)', 'x in (a,c)'], ['x notin ()', 'x notin ()'], ['x in (,a)', 'x in (,a)'],
    ['a=', 'a='], ['n>1', 'n>1'], ['n<5', 'n<5'], ['in in (in)', 'in in (in)'], [' a = b , c ', 'a=b,c'], ['a.b/c=d', 'a.b/c=d'],
  ])('%j is read and written %j', (text, written) => {
    expect(parseLabelSelector(text).toString()).toBe(written)
  })

  it.each([
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['a in', "unable to parse requirement: found '' expected: '('"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['n>x', `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`],
    ['!', "unable to parse requirement: found '', expected: identifier"],
  ])('%j is refused: %s', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(new SelectorError(message))
  })

  it('refuses a malformed key or value, saying what one looks like', () => {
    expect(() => parseLabelSelector('-a=b')).toThrow(/^unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric/)
    expect(() => parseLabelSelector('a=-b')).toThrow(/^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b": a valid label must be an empty string/)
  })

  it.each([
    ['a=b', { a: 'b' }, true], ['a=b', {}, false], ['a!=b', {}, true], ['a', { a: '' }, true], ['!a', { a: '' }, false], ['a in (b,c)', { a: 'c' }, true],
    ['a notin (b)', { a: 'b' }, false], ['n>3', { n: '4' }, true], ['n<3', { n: 'x' }, false], ['', { x: 'y' }, true],
  ])('%j against %j: %s', (text, labels, matches) => {
    expect(parseLabelSelector(text).matches(labels)).toBe(matches)
  })

  it('of an object: absent selects nothing, empty selects everything', () => {
    expect(labelSelectorMatcher(undefined)({ a: 'b' })).toBe(false)
    expect(labelSelectorMatcher({})({ a: 'b' })).toBe(true)
    expect(labelSelectorMatcher({ matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'NotIn', values: ['d'] }] })({ a: 'b' })).toBe(true)
    expect(() => labelSelectorMatcher({ matchExpressions: [{ key: 'c', operator: 'Like' }] })).toThrow('"Like" is not a valid label selector operator')
    expect(formatLabelSelector({ matchLabels: { b: 'c' }, matchExpressions: [{ key: 'a', operator: 'Exists' }] })).toBe('a,b=c')
    expect(formatLabelSelector({})).toBe('<none>')
  })

  it('is not fooled by names of Object.prototype', () => {
    expect(parseLabelSelector('constructor').matches({})).toBe(false)
  })
})

describe('a field selector', () => {
  it('is read, sorted, and asks for fields', () => {
    const selector = parseFieldSelector('status.phase!=Running,metadata.name==x')
    expect(selector.toString()).toBe('metadata.name=x,status.phase!=Running')
    expect(selector.matches((field) => ({ 'metadata.name': 'x' })[field])).toBe(true)
    expect(selector.exactMatch('metadata.name')).toBe('x')
  })

  it('is refused where there is no operator', () => {
    expect(() => parseFieldSelector('a=b,c')).toThrow("invalid selector: 'a=b,c'; can't understand 'c'")
  })
})
