import { describe, expect, it } from 'vitest'
import { placesOf, readTree, writeTree, type Group } from './tree'

const rule = { rule: 'subscription', state: 'confirmed' }
const other = { rule: 'field', field: 'points', operator: 'gt', value: 3 }

describe('a rule tree', () => {
  it.each([
    ['a lone rule', rule],
    ['a group', { all: [rule, other] }],
    ['nested groups', { any: [rule, { all: [other, rule] }] }],
    ['a negated rule', { not: rule }],
    ['a negated group', { not: { any: [rule, other] } }],
    ['a negation inside', { all: [rule, { not: { all: [other, rule] } }] }],
    ['a double negation', { not: { not: { any: [rule, other] } } }],
    ['nothing', {}],
  ])('comes back as it was: %s', (_, tree) => {
    expect(writeTree(readTree(tree))).toEqual(tree)
  })

  it('drops groups without rules', () => {
    const group = readTree({ all: [rule, other] })
    expect(
      writeTree({ ...group, children: [...group.children, { kind: 'any', negated: false, children: [] }] }),
    ).toEqual({
      all: [rule, other],
    })
  })

  it('reads what is no tree as no rules', () => {
    expect(readTree(undefined).children).toEqual([])
    expect(readTree(null).children).toEqual([])
  })

  it('knows where a rule stands in the document', () => {
    const lone = readTree(rule)
    expect(placesOf(lone).get(lone.children[0]!)).toBe('rules')
    const nested = readTree({ all: [rule, { not: { any: [other, rule] } }] })
    const inner = nested.children[1] as Group
    expect(placesOf(nested).get(inner.children[1]!)).toBe('rules.all.1.not.any.1')
    const withGap = {
      ...nested,
      children: [{ kind: 'any' as const, negated: false, children: [] }, ...nested.children],
    }
    expect(placesOf(withGap).get(inner.children[0]!)).toBe('rules.all.1.not.any.0')
  })
})
