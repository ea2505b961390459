/** The numbers at the foot of a card: at most three, chosen by what is known of the step and not by its type. */
import type { Description, NodeFigures } from '../api/scenarios'
import { number, share } from '../format/numbers'

export type Figure = { word: string; value: string; tone?: 'good' | 'wait' | 'bad' }

const passed = (figures: NodeFigures) => Object.values(figures.outputs).reduce((sum, people) => sum + people, 0)

export function cardFigures(described: Description, figures: NodeFigures): Figure[] {
  const strip = firstFigures(described, figures)
  if (figures.failed > 0 && strip.length < 3) strip.push({ word: 'failed', value: number(figures.failed), tone: 'bad' })
  return strip
}

function firstFigures(described: Description, figures: NodeFigures): Figure[] {
  if (figures.messages) return messageFigures(figures)
  const inside: Figure = {
    word: 'inside',
    value: number(figures.inside),
    tone: figures.inside > 0 ? 'wait' : undefined,
  }
  if (described.category === 'trigger') {
    const entered = { word: 'entered', value: number(figures.entered) }
    return figures.inside > 0 ? [entered, inside] : [entered]
  }
  /* A step whose outputs all have lines of their own tells who passed there. */
  const hasHeaderOutput = described.ports.some((port) => port.tone === 'main')
  if (!hasHeaderOutput) return figures.inside > 0 ? [inside] : []
  const through: Figure = { word: 'passed', value: number(passed(figures)) }
  return described.category === 'operator' || figures.inside > 0 ? [inside, through] : [through]
}

function messageFigures({ messages }: NodeFigures): Figure[] {
  if (!messages) return []
  const { sent, opened, clicked, waiting, not_sent, in_doubt } = messages
  const strip: Figure[] = [{ word: 'sent', value: number(sent) }]
  if (opened + clicked > 0) {
    strip.push(
      { word: 'opened', value: share(opened, sent), tone: 'good' },
      { word: 'clicked', value: share(clicked, sent) },
    )
    return strip
  }
  if (waiting > 0) strip.push({ word: 'waiting', value: number(waiting), tone: 'wait' })
  if (in_doubt > 0) strip.push({ word: 'in_doubt', value: number(in_doubt), tone: 'bad' })
  if (strip.length < 3)
    strip.push({ word: 'not_sent', value: number(not_sent), tone: not_sent > 0 ? 'bad' : undefined })
  return strip
}
