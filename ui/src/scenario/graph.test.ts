import { describe, expect, it } from 'vitest'
import type { ScenarioDocument } from '../api/scenarios'
import { isPiledUp, readDocument, writeDocument } from './graph'

const DOCUMENT: ScenarioDocument = {
  format: 'sojourn/scenario@1',
  name: 'Welcome',
  description: '',
  tags: ['demo'],
  database: 1,
  reentry: { mode: 'never', min_interval: null },
  exits: [],
  nodes: [
    { id: 0, type: 'start', title: 'In', comment: '', position: { x: 0, y: 0 }, settings: {}, links: { next: 1 } },
    {
      id: 1,
      type: 'condition',
      title: 'Ask',
      comment: 'why',
      position: { x: 340, y: 8 },
      settings: { rules: {} },
      links: { yes: 0, no: 1 },
    },
  ],
}

describe('a scenario document', () => {
  it('comes back from the canvas as it was', () => {
    expect(writeDocument(readDocument(DOCUMENT))).toEqual(DOCUMENT)
  })

  it('loses links to steps that do not exist', () => {
    const broken = { ...DOCUMENT, nodes: [{ ...DOCUMENT.nodes[0]!, links: { next: 99 } }] }
    expect(readDocument(broken).links).toEqual([])
  })

  it('is piled up when cards lie on each other', () => {
    const pile = DOCUMENT.nodes.map((node) => ({ ...node, position: { x: 0, y: 0 } }))
    expect(isPiledUp(readDocument({ ...DOCUMENT, nodes: pile }).cards)).toBe(true)
    expect(isPiledUp(readDocument(DOCUMENT).cards)).toBe(false)
  })
})
