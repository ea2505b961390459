import { describe, expect, it } from 'vitest'
import { CARD_WIDTH, layOut, type LayoutNode } from './layout'

const node = (id: string, targets: string[] = [], height = 120): LayoutNode => ({
  id,
  width: CARD_WIDTH,
  height,
  isStart: id.startsWith('start'),
  targets,
})

const WELCOME = [
  node('start_call', ['letter']),
  node('start_import', ['letter']),
  node('letter', ['pause']),
  node('pause', ['confirmed']),
  node('confirmed', ['points', 'sms_sent'], 170),
  node('points', ['promo']),
  node('promo', ['gift']),
  node('gift'),
  node('sms_sent', ['call', 'sms'], 170),
  node('call', [], 150),
  node('sms', ['wait']),
  node('wait', ['confirmed']),
]

function overlaps(nodes: LayoutNode[]): string[] {
  const at = layOut(nodes)
  const found: string[] = []
  for (const a of nodes)
    for (const b of nodes) {
      const p = at.get(a.id)!
      const q = at.get(b.id)!
      if (a.id < b.id && p.x < q.x + b.width && q.x < p.x + a.width && p.y < q.y + b.height && q.y < p.y + a.height)
        found.push(`${a.id} ${b.id}`)
    }
  return found
}

describe('the layout', () => {
  it('puts a chain on one line', () => {
    const at = layOut(WELCOME)
    const line = ['start_call', 'letter', 'pause', 'confirmed', 'points', 'promo', 'gift']
    expect(new Set(line.map((id) => at.get(id)!.y)).size).toBe(1)
    expect(line.map((id) => at.get(id)!.x)).toEqual([...line.map((id) => at.get(id)!.x)].sort((a, b) => a - b))
  })

  it('puts yes above no', () => {
    const at = layOut(WELCOME)
    expect(at.get('points')!.y).toBeLessThan(at.get('sms_sent')!.y)
    expect(at.get('call')!.y).toBeLessThan(at.get('sms')!.y)
  })

  it('lets a loop lead back to the left', () => {
    const at = layOut(WELCOME)
    expect(at.get('wait')!.x).toBeGreaterThan(at.get('confirmed')!.x)
  })

  it('leaves no cards on top of each other', () => {
    expect(overlaps(WELCOME)).toEqual([])
  })

  it('copes with branches that meet again, loops and lone nodes', () => {
    const tangled = [
      node('start', ['a', 'a']),
      node('a', ['b', 'c'], 200),
      node('b', ['d']),
      node('c', ['d', 'a']),
      node('d', ['a', 'missing']),
      node('lone'),
      node('self', ['self']),
    ]
    expect(overlaps(tangled)).toEqual([])
    expect(layOut([])).toEqual(new Map())
  })

  it('lays out hundreds of nodes without overlaps', () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      node(i ? `n${i}` : 'start', [`n${i * 2 + 1}`, `n${i * 2 + 2}`, `n${Math.floor(i / 3)}`], 100 + ((i * 37) % 90)),
    )
    expect(overlaps(many)).toEqual([])
  })
})
