import { expect, test } from 'vitest'
import { asFields } from './fieldChanges'

test('operations become actions, unfinished rows are left out', () => {
  expect(
    asFields([
      { field: 'a', operation: 'set', value: 5 },
      { field: 'b', operation: 'clear' },
      { field: 'c', operation: 'decrease', value: 2 },
      { field: 'd', operation: 'add_tags', value: ['x'] },
      { operation: 'set', value: 1 },
      { field: 'e', operation: 'set' },
    ]),
  ).toEqual({
    a: 5,
    b: { action: 'unset' },
    c: { action: 'incr', value: -2 },
    d: { action: 'add', value: ['x'] },
  })
})
