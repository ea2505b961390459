import { describe, expect, it } from 'vitest'
import { readTree, writeTree } from './tree'

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
})
