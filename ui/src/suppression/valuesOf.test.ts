import { expect, test } from 'vitest'
import { valuesOf } from './valuesOf'

test('values are found in plain lines and in files of other systems', () => {
  expect(valuesOf('a@x.test\r\n\n y.test \n+1 201 555-0100')).toEqual(['a@x.test', 'y.test', '+1 201 555-0100'])
  expect(valuesOf('kind,md5,reason\nemail,0cc175b9c0f1b6a831c399e269772661,manual')).toEqual([
    '0cc175b9c0f1b6a831c399e269772661',
  ])
  expect(valuesOf('"email";"name"\n"b@x.test";"Bob B."')).toEqual(['b@x.test'])
})
