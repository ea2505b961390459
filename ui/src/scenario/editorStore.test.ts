import { beforeEach, describe, expect, it } from 'vitest'
import type { NodeType, Scenario } from '../api/scenarios'
import { useEditor } from './editorStore'
import { writeDocument } from './graph'

const port = { id: 'next', title: 'Next', tone: 'main' as const, optional: false, linkable: true }
const PAUSE: NodeType = {
  type: 'pause',
  schema_version: 1,
  category: 'operator',
  icon: 'clock-pause',
  title: 'Pause',
  description: '',
  schema: {},
  ports: [port],
  defaults: { length: '1d' },
  takes_input: true,
}
const described = {
  type_title: 'Start',
  icon: 'bolt',
  category: 'trigger' as const,
  ports: [port],
  summary: [],
  problems: [],
}
const SCENARIO: Scenario = {
  id: 1,
  name: 'Welcome',
  database_id: 1,
  database_name: 'Customers',
  active: false,
  revision: 3,
  changed: true,
  published_number: null,
  published_at: null,
  created_at: '2026-11-02T10:00:00Z',
  updated_at: '2026-11-02T10:00:00Z',
  document: {
    format: 'sojourn/scenario@1',
    name: 'Welcome',
    description: '',
    tags: [],
    database: 1,
    reentry: { mode: 'never', min_interval: null },
    exits: [],
    nodes: [{ id: 0, type: 'start', title: 'In', comment: '', position: { x: 0, y: 0 }, settings: {}, links: {} }],
  },
  described: { '0': described },
  problems: [],
}

const editor = () => useEditor.getState()
const nodes = () => writeDocument(editor()).nodes

describe('the editor', () => {
  beforeEach(() => editor().load(SCENARIO, false))

  it('adds a step behind an output, and takes it back', () => {
    editor().addNode(PAUSE, { x: 340, y: 0 }, { source: '0', port: 'next' })
    expect(nodes()[0]!.links).toEqual({ next: 1 })
    expect(nodes()[1]).toMatchObject({ id: 1, type: 'pause', settings: { length: '1d' } })
    editor().undo()
    expect(nodes()).toHaveLength(1)
    expect(editor().openId).toBeNull()
    editor().redo()
    expect(nodes()[0]!.links).toEqual({ next: 1 })
  })

  it('keeps one link an output', () => {
    editor().addNode(PAUSE, { x: 0, y: 0 })
    editor().addNode(PAUSE, { x: 0, y: 0 })
    editor().connect('0', 'next', '1')
    editor().connect('0', 'next', '2')
    expect(nodes()[0]!.links).toEqual({ next: 2 })
    editor().connect('0', 'next', null)
    expect(nodes()[0]!.links).toEqual({})
  })

  it('removes a step with its links and does not give its id again', () => {
    editor().addNode(PAUSE, { x: 0, y: 0 }, { source: '0', port: 'next' })
    editor().removeNodes(['1'])
    expect(nodes()[0]!.links).toEqual({})
    editor().addNode(PAUSE, { x: 0, y: 0 })
    expect(nodes()[1]!.id).toBe(2)
  })

  it('counts a drag that moved nothing as no change', () => {
    const before = editor().changes
    editor().startDrag()
    editor().endDrag()
    expect(editor().changes).toBe(before)
    expect(editor().past).toHaveLength(0)
  })

  it('marks every change as unsaved', () => {
    expect(editor().saving).toBe('saved')
    editor().editNode('0', { title: 'Door' })
    expect(editor().saving).toBe('unsaved')
    expect(nodes()[0]!.title).toBe('Door')
  })
})
