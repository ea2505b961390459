/**
 * A layered layout for scenarios: columns by the longest way from a start, branches stacked in the order of the outputs,
 * and every first branch on the header line of its parent, so that chains are straight and *yes* stays above *no*.
 */
export type LayoutNode = {
  id: string
  width: number
  height: number
  isStart: boolean
  /** Targets in the order of the node's outputs. */
  targets: string[]
}
export type Point = { x: number; y: number }

export const CARD_WIDTH = 264
const GAP_X = 72
const GAP_Y = 44

/** Positions of all nodes. */
export function layOut(nodes: LayoutNode[]): Map<string, Point> {
  const known = new Map(nodes.map((node) => [node.id, node]))
  const walk = walkFromStarts(nodes, known)
  const columns = longestWays(walk.order, walk.forward)
  const children = hangUnderFirstParent(walk.order, walk.forward)
  const x = columnPositions(nodes, columns)
  const y = stack(walk.order, known, columns, children)
  return new Map(nodes.map((node) => [node.id, { x: x[columns.get(node.id)!]!, y: y.get(node.id)! }]))
}

type Walk = { order: string[]; forward: Map<string, string[]> }

/** Depth first, outputs in their order. A link to a node that is still being walked leads back and does not count. */
function walkFromStarts(nodes: LayoutNode[], known: Map<string, LayoutNode>): Walk {
  const order: string[] = []
  const forward = new Map<string, string[]>()
  const open = new Set<string>()
  const visit = (node: LayoutNode) => {
    order.push(node.id)
    open.add(node.id)
    const ahead: string[] = []
    forward.set(node.id, ahead)
    for (const id of new Set(node.targets)) {
      const target = known.get(id)
      if (!target || open.has(id)) continue
      ahead.push(id)
      if (!forward.has(id)) visit(target)
    }
    open.delete(node.id)
  }
  for (const node of [...nodes.filter((node) => node.isStart), ...nodes]) if (!forward.has(node.id)) visit(node)
  return { order, forward }
}

function longestWays(order: string[], forward: Map<string, string[]>): Map<string, number> {
  const waiting = new Map(order.map((id) => [id, 0]))
  for (const targets of forward.values()) for (const id of targets) waiting.set(id, waiting.get(id)! + 1)
  const column = new Map(order.map((id) => [id, 0]))
  const ready = order.filter((id) => waiting.get(id) === 0)
  for (const id of ready) {
    for (const target of forward.get(id)!) {
      column.set(target, Math.max(column.get(target)!, column.get(id)! + 1))
      waiting.set(target, waiting.get(target)! - 1)
      if (waiting.get(target) === 0) ready.push(target)
    }
  }
  return column
}

function hangUnderFirstParent(order: string[], forward: Map<string, string[]>): Map<string, string[]> {
  const taken = new Set<string>()
  const children = new Map<string, string[]>()
  for (const id of order) {
    const own = forward.get(id)!.filter((target) => !taken.has(target))
    own.forEach((target) => taken.add(target))
    children.set(id, own)
  }
  return children
}

function columnPositions(nodes: LayoutNode[], columns: Map<string, number>): number[] {
  const widths: number[] = []
  for (const node of nodes) {
    const column = columns.get(node.id)!
    widths[column] = Math.max(widths[column] ?? 0, node.width)
  }
  let x = 0
  return widths.map((width) => (x += width + GAP_X) - width - GAP_X)
}

/** Top to bottom: a node stands on the line of its first child, and below whatever already stands in its column. */
function stack(
  order: string[],
  known: Map<string, LayoutNode>,
  columns: Map<string, number>,
  children: Map<string, string[]>,
): Map<string, number> {
  const y = new Map<string, number>()
  const floor: number[] = []
  const place = (id: string, least: number): number => {
    const column = columns.get(id)!
    let top = Math.max(least, floor[column] ?? -Infinity)
    let line = top
    children.get(id)!.forEach((child, index) => {
      line = place(child, line)
      if (index === 0) top = Math.max(top, line)
    })
    floor[column] = top + known.get(id)!.height + GAP_Y
    y.set(id, top)
    return top
  }
  for (const id of order) if (!y.has(id)) place(id, 0)
  return y
}
