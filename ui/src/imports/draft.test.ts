import { describe, expect, it } from 'vitest'
import { EMPTY, importOrder, missingKeys, targetOf, usualMatching } from './draft'

const file = { key: 'k', name: 'people.csv', size: 1, format: 'csv' as const, earlier: null }

describe('a draft of an import', () => {
  it('finds people by what the file has', () => {
    expect(usualMatching({ a: targetOf('phones'), b: targetOf('email') })).toBe('email')
    expect(usualMatching({ a: targetOf('phones') })).toBe('phone')
    expect(usualMatching({ a: targetOf('profile_id') })).toBe('profile_id')
  })

  it('says which column a matching lacks', () => {
    expect(missingKeys('email', null, EMPTY, { a: targetOf('phones') })).toEqual(['email'])
    expect(missingKeys('email_phone', null, EMPTY, { a: targetOf('phones') })).toEqual([])
    expect(missingKeys('push_sub', null, EMPTY, { a: targetOf('_provider') })).toEqual(['_subscription_id'])
    expect(missingKeys('none', null, EMPTY, {})).toEqual([])
  })

  it('becomes an order once there is a database and a file', () => {
    const mapping = { mail: targetOf('email') }
    expect(importOrder(EMPTY, mapping)).toBeNull()
    const order = importOrder(
      { ...EMPTY, database: 1, files: [file], constants: [{ field: '_city', value: '' }] },
      mapping,
    )
    expect(order).toMatchObject({
      database: 1,
      files: [{ key: 'k', name: 'people.csv' }],
      options: { matching: 'email', constants: {} },
    })
    expect(order).not.toHaveProperty('new_segment')
  })
})
