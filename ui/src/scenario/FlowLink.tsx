import {
  BaseEdge,
  EdgeLabelRenderer,
  getSmoothStepPath,
  useStore,
  type EdgeProps,
  type ReactFlowState,
} from '@xyflow/react'
import { memo, useEffect, useRef, useState } from 'react'
import { number } from '../format/numbers'
import { useEditor } from './editorStore'
import type { Link } from './graph'
import { CARD_WIDTH } from './layout'
import { leadsBack, loopLine, loopPath, thickness, type Drawn } from './linkPaths'
import { isFar } from './NodeCard'

const ROOM_FOR_LABEL = 100
const WALK_MS = 1300

export const FlowLink = memo(function FlowLink(link: EdgeProps<Link>) {
  const far = useStore(isFar)
  const port = link.sourceHandleId ?? ''
  const tone = useEditor(
    (state) => state.described[link.source]?.ports.find((found) => found.id === port)?.tone ?? 'main',
  )
  const people = useEditor((state) => (state.showFigures ? peopleOn(state.figures, link.source, port) : undefined))
  const most = useEditor((state) => (state.figures ? countsOf(state.figures).most : 0))
  const back = leadsBack(link.sourceX, link.targetX)
  const { path, labelX, labelY } = useDrawn(link, back)
  const walking = useIncrease(people)
  const withLabel =
    people !== undefined && !far && (back || (tone === 'main' && link.targetX - link.sourceX > ROOM_FOR_LABEL))
  return (
    <>
      <BaseEdge
        id={link.id}
        path={path}
        className={`link tone-${tone}${link.selected ? ' selected' : ''}${back ? ' back' : ''}`}
        style={{ strokeWidth: thickness(people ?? 0, most) }}
        interactionWidth={18}
      />
      {walking > 0 && (
        <circle r={4} className={`walker tone-${tone}`} key={walking}>
          <animateMotion dur={`${WALK_MS}ms`} path={path} fill="freeze" />
        </circle>
      )}
      {withLabel && (
        <EdgeLabelRenderer>
          <div className="link-label" style={{ transform: `translate(-50%,-50%) translate(${labelX}px,${labelY}px)` }}>
            {back && '↩ '}
            {number(people)}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  )
})

type Figures = NonNullable<ReturnType<typeof useEditor.getState>['figures']>
const counted = new WeakMap<Figures, { byPort: Map<string, number>; most: number }>()

/** The counts of all links, put in order once for each state of the figures: every link asks for its own at every frame. */
function countsOf(figures: Figures) {
  let counts = counted.get(figures)
  if (!counts) {
    const byPort = new Map(figures.links.map(({ node, port, n }) => [`${node}:${port}`, n]))
    counted.set(figures, (counts = { byPort, most: Math.max(0, ...byPort.values()) }))
  }
  return counts
}

function peopleOn(figures: Figures | null | undefined, source: string, port: string) {
  return figures ? (countsOf(figures).byPort.get(`${Number(source)}:${port}`) ?? 0) : undefined
}

function useDrawn(link: EdgeProps<Link>, back: boolean): Drawn {
  const { sourceX, sourceY, sourcePosition, targetX, targetY, targetPosition } = link
  /* A number from the store, so that the way is drawn anew when a card in between grows or moves. */
  const line = useStore((state) => (back ? loopLine(sourceX, sourceY, targetX, targetY, boxes(state)) : 0))
  if (back) return loopPath(sourceX, sourceY, targetX, targetY, line)
  const [path, labelX, labelY] = getSmoothStepPath({
    sourceX,
    sourceY,
    sourcePosition,
    targetX,
    targetY,
    targetPosition,
    borderRadius: 16,
  })
  return { path, labelX, labelY }
}

function boxes(state: ReactFlowState) {
  return [...state.nodeLookup.values()].map(({ internals, measured }) => ({
    ...internals.positionAbsolute,
    width: measured.width ?? CARD_WIDTH,
    height: measured.height ?? 120,
  }))
}

/** Counts how often the number grew; zero again when the walk is over. */
function useIncrease(people: number | undefined): number {
  const before = useRef(people)
  const [walk, setWalk] = useState(0)
  useEffect(() => {
    const grew = before.current !== undefined && people !== undefined && people > before.current
    before.current = people
    if (!grew || window.matchMedia('(prefers-reduced-motion: reduce)').matches) return
    setWalk((count) => count + 1)
    const timer = setTimeout(() => setWalk(0), WALK_MS)
    return () => clearTimeout(timer)
  }, [people])
  return walk
}
