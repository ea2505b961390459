import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from './durations'

describe('a duration', () => {
  it('is read and written in its normal form', () => {
    expect(formatDuration(parseDuration('90s')!)).toBe('1m 30s')
    expect(formatDuration(parseDuration('1d 2h')!)).toBe('1d 2h')
    expect(formatDuration(parseDuration('2w')!)).toBe('14d')
  })

  it('is refused when it is none', () => {
    expect(parseDuration('soon')).toBeNull()
    expect(parseDuration('1d later')).toBeNull()
    expect(parseDuration('')).toBeNull()
  })
})
