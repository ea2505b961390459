/** What the editor holds: the graph with undo and redo, what the server says about it, and what is open. */
import { applyEdgeChanges, applyNodeChanges, type EdgeChange, type NodeChange } from '@xyflow/react'
import { create } from 'zustand'
import type { Problem } from '../api/client'
import type { Description, NodeType, Scenario, Statistics } from '../api/scenarios'
import { makeLink, readDocument, tidied, type Card, type Described, type Graph, type Head, type Link } from './graph'

const MOST_UNDO = 100

export type Saving = 'saved' | 'unsaved' | 'saving' | 'failed' | 'conflict'
type Status = Pick<Scenario, 'id' | 'active' | 'revision' | 'changed' | 'published_number' | 'database_name'>

type State = Graph & {
  status: Status
  described: Described
  problems: Problem[]
  figures: Statistics | null
  showFigures: boolean
  readOnly: boolean
  past: Graph[]
  future: Graph[]
  /** Grows with every change of the document; the auto-save compares it. */
  changes: number
  saving: Saving
  openId: string | null
  dragging: boolean
}

type Actions = {
  load: (scenario: Scenario, readOnly: boolean) => void
  /** Take over what the server knows after a save or publication, but not the document, which may have moved on. */
  accept: (scenario: Scenario) => void
  describe: (id: string, description: Description) => void
  open: (id: string | null) => void
  changeHead: (part: Partial<Head>) => void
  changeCards: (changes: NodeChange<Card>[]) => void
  changeLinks: (changes: EdgeChange<Link>[]) => void
  startDrag: () => void
  endDrag: () => void
  connect: (source: string, port: string, target: string | null) => void
  addNode: (type: NodeType, position: Card['position'], from?: { source: string; port: string }) => void
  duplicate: (id: string) => void
  editNode: (id: string, part: Partial<Card['data']>) => void
  removeNodes: (ids: string[]) => void
  tidy: () => void
  /** The same for the eye alone: it becomes part of the document with the next change. */
  arrange: () => void
  undo: () => void
  redo: () => void
}

const NOTHING: State = {
  status: { id: 0, active: false, revision: 0, changed: false, published_number: null, database_name: '' },
  head: {
    format: 'sojourn/scenario@1',
    name: '',
    description: '',
    tags: [],
    database: 0,
    reentry: { mode: 'never', min_interval: null },
    exits: [],
  },
  cards: [],
  links: [],
  described: {},
  problems: [],
  figures: null,
  showFigures: true,
  readOnly: true,
  past: [],
  future: [],
  changes: 0,
  saving: 'saved',
  openId: null,
  dragging: false,
}

const graphOf = ({ head, cards, links }: Graph): Graph => ({ head, cards, links })

/** The state after a change of the document, with the one before kept for undo. */
function changed(state: State, part: Partial<Graph>): Partial<State> {
  return {
    ...part,
    past: [...state.past, graphOf(state)].slice(-MOST_UNDO),
    future: [],
    changes: state.changes + 1,
    saving: 'unsaved',
  }
}

/** An id that no step has or ever had as far as we know, so that figures of a removed step do not reappear. */
function freeId(state: State): string {
  const used = [...state.past, state].flatMap((graph) => graph.cards.map((card) => Number(card.id)))
  const counted = Object.keys(state.figures?.nodes ?? {}).map(Number)
  return String(Math.max(-1, ...used, ...counted) + 1)
}

const only = (cards: Card[], id: string) => cards.map((card) => ({ ...card, selected: card.id === id }))

export const useEditor = create<State & Actions>((set, get) => ({
  ...NOTHING,

  load: (scenario, readOnly) =>
    set((state) => ({
      ...NOTHING,
      ...readDocument(scenario.document),
      showFigures: state.showFigures,
      figures: state.status.id === scenario.id ? state.figures : null,
      status: scenario,
      described: scenario.described,
      problems: scenario.problems,
      readOnly,
    })),

  accept: (scenario) =>
    set((state) => ({
      status: scenario,
      described: { ...state.described, ...scenario.described },
      problems: scenario.problems,
    })),

  describe: (id, description) => set((state) => ({ described: { ...state.described, [id]: description } })),

  open: (openId) => set((state) => ({ openId, cards: openId === null ? state.cards : only(state.cards, openId) })),

  changeHead: (part) => set((state) => changed(state, { head: { ...state.head, ...part } })),

  changeCards: (changes) => {
    const removed = changes.filter((change) => change.type === 'remove').map((change) => change.id)
    const moved = changes.some((change) => change.type === 'position' && change.dragging === false && change.position)
    if (removed.length) return get().removeNodes(removed)
    set((state) => {
      const cards = applyNodeChanges(changes, state.cards)
      /* A move by the arrow keys comes without a drag; one undo step for it. */
      const byKeyboard = moved && !state.dragging && cards.some((card, i) => card.position !== state.cards[i]?.position)
      return byKeyboard ? changed(state, { cards }) : { cards }
    })
  },

  changeLinks: (changes) =>
    set((state) => {
      const links = applyEdgeChanges(changes, state.links)
      return links.length < state.links.length ? changed(state, { links }) : { links }
    }),

  startDrag: () => set((state) => ({ dragging: true, past: [...state.past, graphOf(state)].slice(-MOST_UNDO) })),

  endDrag: () =>
    set((state) => {
      const before = state.past.at(-1)
      const moved = before?.cards.some((card, i) => {
        const now = state.cards[i]?.position
        return now?.x !== card.position.x || now?.y !== card.position.y
      })
      if (!moved) return { dragging: false, past: state.past.slice(0, -1) }
      return { dragging: false, future: [], changes: state.changes + 1, saving: 'unsaved' }
    }),

  connect: (source, port, target) =>
    set((state) => {
      const others = state.links.filter((link) => link.source !== source || link.sourceHandle !== port)
      return changed(state, { links: target === null ? others : [...others, makeLink(source, port, target)] })
    }),

  addNode: (type, position, from) =>
    set((state) => {
      const id = freeId(state)
      const card: Card = {
        id,
        type: 'card',
        position,
        selected: true,
        data: { type: type.type, title: type.title, comment: '', settings: { ...type.defaults } },
      }
      const links = from ? [...state.links, makeLink(from.source, from.port, id)] : state.links
      const { title, icon, category, ports } = type
      const description = { type_title: title, icon, category, ports, summary: [], problems: [] }
      return {
        ...changed(state, { cards: [...only(state.cards, id), card], links }),
        described: { ...state.described, [id]: description },
        openId: id,
      }
    }),

  duplicate: (id) =>
    set((state) => {
      const original = state.cards.find((card) => card.id === id)
      if (!original) return {}
      const copy = freeId(state)
      const position = { x: original.position.x + 40, y: original.position.y + (original.measured?.height ?? 150) + 32 }
      const card: Card = { id: copy, type: 'card', position, selected: true, data: { ...original.data } }
      return {
        ...changed(state, { cards: [...only(state.cards, copy), card] }),
        described: { ...state.described, [copy]: state.described[id]! },
        openId: copy,
      }
    }),

  editNode: (id, part) =>
    set((state) =>
      changed(state, {
        cards: state.cards.map((card) => (card.id === id ? { ...card, data: { ...card.data, ...part } } : card)),
      }),
    ),

  removeNodes: (ids) =>
    set((state) => ({
      ...changed(state, {
        cards: state.cards.filter((card) => !ids.includes(card.id)),
        links: state.links.filter((link) => !ids.includes(link.source) && !ids.includes(link.target)),
      }),
      openId: state.openId && ids.includes(state.openId) ? null : state.openId,
    })),

  tidy: () => set((state) => changed(state, { cards: tidied(state.cards, state.links, state.described) })),

  arrange: () => set((state) => ({ cards: tidied(state.cards, state.links, state.described) })),

  undo: () => set((state) => (state.past.length ? travel(state, state.past.at(-1)!, 'back') : {})),
  redo: () => set((state) => (state.future.length ? travel(state, state.future[0]!, 'forth') : {})),
}))

function travel(state: State, to: Graph, way: 'back' | 'forth'): Partial<State> {
  const known = new Set(to.cards.map((card) => card.id))
  return {
    ...to,
    past: way === 'back' ? state.past.slice(0, -1) : [...state.past, graphOf(state)],
    future: way === 'back' ? [graphOf(state), ...state.future] : state.future.slice(1),
    openId: state.openId && known.has(state.openId) ? state.openId : null,
    changes: state.changes + 1,
    saving: 'unsaved',
  }
}
