import { describe, expect, it } from 'vitest'
import { leadsBack, loopLine, loopPath, thickness } from './linkPaths'

describe('a link that leads back', () => {
  it('goes below every card between its ends', () => {
    const cards = [
      { x: 0, y: 0, width: 264, height: 120 },
      { x: 340, y: 60, width: 264, height: 200 },
      { x: 2000, y: 0, width: 264, height: 900 },
    ]
    const line = loopLine(604, 95, 0, 35, cards)
    expect(line).toBeGreaterThan(260 + 18)
    expect(line).toBeLessThan(400)
    expect(loopPath(604, 95, 0, 35, line).labelY).toBe(line)
  })

  it('is told from one that leads on', () => {
    expect(leadsBack(604, 0)).toBe(true)
    expect(leadsBack(264, 340)).toBe(false)
  })
})

describe('the thickness of a link', () => {
  it('grows with people and stays within bounds', () => {
    expect(thickness(0, 100)).toBe(1.6)
    expect(thickness(25, 100)).toBeLessThan(thickness(100, 100))
    expect(thickness(100, 100)).toBeCloseTo(6)
  })
})
