/** The drawn ways of links, in canvas pixels. */
export type Box = { x: number; y: number; width: number; height: number }
export type Drawn = { path: string; labelX: number; labelY: number }

const RADIUS = 14
const SIDE = 30
const CLEARANCE = 18

/** Whether a link leads back to the left and must go round the cards. */
export const leadsBack = (sourceX: number, targetX: number) => targetX < sourceX - 10

/** The first free line below every card between the ends of a link that leads back. */
export function loopLine(sourceX: number, sourceY: number, targetX: number, targetY: number, cards: Box[]): number {
  const between = cards.filter((card) => card.x < sourceX + SIDE && card.x + card.width > targetX - SIDE)
  let y = Math.max(sourceY, targetY) + 60
  for (let moves = 0; moves <= between.length; moves++) {
    const inTheWay = between.filter((card) => y > card.y - CLEARANCE && y < card.y + card.height + CLEARANCE)
    if (!inTheWay.length) break
    y = Math.max(...inTheWay.map((card) => card.y + card.height)) + SIDE
  }
  return y
}

/** A way that leaves to the right, runs along `y`, and enters from the left: so a loop reads as a loop. */
export function loopPath(sourceX: number, sourceY: number, targetX: number, targetY: number, y: number): Drawn {
  const right = sourceX + SIDE
  const left = targetX - SIDE
  const r = RADIUS
  const path =
    `M${sourceX},${sourceY} H${right - r} Q${right},${sourceY} ${right},${sourceY + r} V${y - r} Q${right},${y} ${right - r},${y} ` +
    `H${left + r} Q${left},${y} ${left},${y - r} V${targetY + r} Q${left},${targetY} ${left + r},${targetY} H${targetX}`
  return { path, labelX: (left + right) / 2, labelY: y }
}

/** Thickness of a link by the people who took it, as their share of the busiest link; grows with the square root. */
export const thickness = (people: number, most: number) =>
  people > 0 && most > 0 ? 1.6 + 4.4 * Math.sqrt(people / most) : 1.6
