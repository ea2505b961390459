/** Between the scenario document and what the canvas holds. */
import type { Edge, Node } from '@xyflow/react'
import type { Description, NodeDocument, ScenarioDocument, Settings } from '../api/scenarios'
import { CARD_WIDTH, layOut } from './layout'

export type Card = Node<{ type: string; title: string; comment: string; settings: Settings }, 'card'>
export type Link = Edge<Record<string, never>, 'link'>
export type Head = Omit<ScenarioDocument, 'nodes'>
export type Graph = { head: Head; cards: Card[]; links: Link[] }
export type Described = Record<string, Description>

const ASSUMED_HEIGHT = 150

export const linkId = (source: string, port: string) => `${source}:${port}`

export function makeLink(source: string, port: string, target: string): Link {
  return { id: linkId(source, port), type: 'link', source, sourceHandle: port, target, targetHandle: 'in' }
}

export function readDocument(document: ScenarioDocument): Graph {
  const { nodes, ...head } = document
  const known = new Set(nodes.map((node) => node.id))
  return {
    head,
    cards: nodes.map(({ id, type, title, comment, position, settings }) => ({
      id: String(id),
      type: 'card',
      position,
      data: { type, title, comment, settings },
    })),
    links: nodes.flatMap((node) =>
      Object.entries(node.links)
        .filter(([, target]) => known.has(target))
        .map(([port, target]) => makeLink(String(node.id), port, String(target))),
    ),
  }
}

export function writeDocument({ head, cards, links }: Graph): ScenarioDocument {
  const targets = new Map<string, Record<string, number>>()
  for (const { source, sourceHandle, target } of links)
    targets.set(source, { ...targets.get(source), [sourceHandle!]: Number(target) })
  const nodes: NodeDocument[] = cards.map(({ id, position, data }) => ({
    id: Number(id),
    type: data.type,
    title: data.title,
    comment: data.comment,
    position: { x: Math.round(position.x), y: Math.round(position.y) },
    settings: data.settings,
    links: targets.get(id) ?? {},
  }))
  return { ...head, nodes }
}

const LEAST_GAP = 16

/** Whether cards lie on each other or too close, as in a file written by hand. */
export function isPiledUp(cards: Card[]): boolean {
  const size = (card: Card) => ({
    width: card.measured?.width ?? CARD_WIDTH,
    height: card.measured?.height ?? ASSUMED_HEIGHT,
  })
  const overlap = (a: Card, b: Card) =>
    a.position.x < b.position.x + size(b).width + LEAST_GAP &&
    b.position.x < a.position.x + size(a).width + LEAST_GAP &&
    a.position.y < b.position.y + size(b).height + LEAST_GAP &&
    b.position.y < a.position.y + size(a).height + LEAST_GAP
  return cards.some((a, index) => cards.slice(index + 1).some((b) => overlap(a, b)))
}

export function tidied(cards: Card[], links: Link[], described: Described): Card[] {
  const positions = layOut(
    cards.map((card) => ({
      id: card.id,
      width: card.measured?.width ?? CARD_WIDTH,
      height: card.measured?.height ?? ASSUMED_HEIGHT,
      isStart: described[card.id]?.category === 'trigger',
      targets: targetsInOrder(card.id, links, described),
    })),
  )
  return cards.map((card) => ({ ...card, position: positions.get(card.id)! }))
}

function targetsInOrder(id: string, links: Link[], described: Described): string[] {
  const ports = described[id]?.ports.map((port) => port.id) ?? []
  return links
    .filter((link) => link.source === id)
    .sort((a, b) => ports.indexOf(a.sourceHandle!) - ports.indexOf(b.sourceHandle!))
    .map((link) => link.target)
}
