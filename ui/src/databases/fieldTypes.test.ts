import { describe, expect, it } from 'vitest'
import { apiName } from './fieldTypes'

describe('apiName', () => {
  it.each([
    ['Дата визита', 'data_vizita'],
    ['  2nd  Card № ', 'nd_card'],
    ['Café', 'cafe'],
    ['Щука', 'schuka'],
    ['—', ''],
  ])('makes a name of %s', (title, name) => expect(apiName(title)).toBe(name))
})
