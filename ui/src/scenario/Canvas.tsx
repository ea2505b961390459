import '@xyflow/react/dist/base.css'
import '../styles/canvas.css'
import { ActionIcon, Button, Divider, Tooltip } from '@mantine/core'
import { IconMaximize, IconMinus, IconPlus, IconTrash, IconWand } from '@tabler/icons-react'
import {
  Background,
  BackgroundVariant,
  MiniMap,
  Panel,
  ReactFlow,
  SelectionMode,
  useNodesInitialized,
  useReactFlow,
  useStore,
} from '@xyflow/react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { NodeType } from '../api/scenarios'
import { number } from '../format/numbers'
import { useEditor } from './editorStore'
import { FlowLink } from './FlowLink'
import { isPiledUp, type Card, type Link } from './graph'
import { NodeCard } from './NodeCard'
import { Palette } from './Palette'
import { LastBatch } from './LastBatch'
import { SummaryStrip } from './SummaryStrip'

const nodeTypes = { card: NodeCard }
const edgeTypes = { link: FlowLink }
const MANY_NODES = 120
const DRAWER = 552
const READABLE_ZOOM = 0.85
const FIT = {
  padding: { top: '92px', bottom: '84px', left: '32px', right: '64px' },
  maxZoom: 1,
  duration: 250,
} as const

const wantsKeys = (target: EventTarget | null) =>
  !(
    target instanceof HTMLElement &&
    target.closest('input, textarea, select, [contenteditable], [role=dialog], [role=menu]')
  )

export function Canvas({ live }: { live: boolean }) {
  const { t } = useTranslation()
  const flow = useReactFlow<Card, Link>()
  const ready = useNodesInitialized()
  const cards = useEditor((state) => state.cards)
  const links = useEditor((state) => state.links)
  const readOnly = useEditor((state) => state.readOnly)
  const actions = useEditor.getState()
  const scenarioId = useEditor((state) => state.status.id)
  const bin = useBin()
  const fit = useFit(readOnly)
  useFirstView(scenarioId, ready, fit)
  useShowOpened()
  useKeys(fit)

  const place = (type: NodeType, x: number, y: number) =>
    actions.addNode(type, flow.screenToFlowPosition({ x: x - 30, y: y - 24 }))
  const placeInTheMiddle = (type: NodeType) => {
    const box = document.querySelector('.canvas')!.getBoundingClientRect()
    place(type, box.left + box.width / 2, box.top + box.height / 2)
  }
  return (
    <div className={`canvas${readOnly ? '' : ' with-palette'}`}>
      <ReactFlow<Card, Link>
        nodes={cards}
        edges={links}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        onNodesChange={actions.changeCards}
        onEdgesChange={actions.changeLinks}
        onConnect={({ source, sourceHandle, target }) => actions.connect(source, sourceHandle!, target)}
        isValidConnection={({ source, target }) => source !== target}
        onNodeClick={(event, card) => !event.shiftKey && !event.ctrlKey && !event.metaKey && actions.open(card.id)}
        onPaneClick={() => actions.open(null)}
        onNodeDragStart={actions.startDrag}
        onNodeDrag={(event) => bin.hover(event)}
        onNodeDragStop={(event, _card, moved) => {
          actions.endDrag()
          if (bin.isOver(event)) actions.removeNodes(moved.map((card) => card.id))
        }}
        nodesDraggable={!readOnly}
        nodesConnectable={!readOnly}
        deleteKeyCode={readOnly ? null : ['Delete', 'Backspace']}
        selectionMode={SelectionMode.Partial}
        zoomOnDoubleClick={false}
        minZoom={0.1}
        maxZoom={1.6}
        snapToGrid
        snapGrid={[4, 4]}
        connectionRadius={36}
        onlyRenderVisibleElements={cards.length > MANY_NODES}
        aria-label={t('editor.canvas')}
        ariaLabelConfig={{
          'node.a11yDescription.default': t('editor.nodeHelp'),
          'edge.a11yDescription.default': t('editor.linkHelp'),
        }}
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={2} />
        <ZoomBar fit={fit} readOnly={readOnly} />
        <MiniMap<Card>
          pannable
          zoomable
          nodeColor={(card) => `var(--c-${useEditor.getState().described[card.id]?.category ?? 'action'})`}
          nodeBorderRadius={14}
          nodeStrokeWidth={0}
          maskColor="var(--mask)"
          style={{ width: 184, height: 112 }}
          ariaLabel={t('editor.minimap')}
        />
        <Panel position="bottom-center">
          <div
            ref={bin.ref}
            className={`bin${bin.shown ? ' shown' : ''}${bin.hot ? ' hot' : ''}`}
            aria-hidden={!bin.shown}
          >
            <IconTrash size={18} /> {t('editor.bin')}
          </div>
        </Panel>
      </ReactFlow>
      {!readOnly && <Palette onDrop={place} onPick={placeInTheMiddle} />}
      <SummaryStrip live={live} />
      <LastBatch />
    </div>
  )
}

function ZoomBar({ fit, readOnly }: { fit: () => void; readOnly: boolean }) {
  const { t } = useTranslation()
  const flow = useReactFlow()
  const zoom = useStore((state) => state.transform[2])
  const tidy = () => {
    useEditor.getState().tidy()
    requestAnimationFrame(fit)
  }
  return (
    <Panel position="bottom-left" className="zoombar">
      <Tooltip label={t('editor.zoomOut')}>
        <ActionIcon onClick={() => flow.zoomOut({ duration: 150 })} aria-label={t('editor.zoomOut')}>
          <IconMinus size={16} />
        </ActionIcon>
      </Tooltip>
      <button
        type="button"
        className="zoom-value"
        onClick={() => flow.zoomTo(1, { duration: 150 })}
        title={t('editor.zoomReset')}
      >
        {number(Math.round(zoom * 100))}%
      </button>
      <Tooltip label={t('editor.zoomIn')}>
        <ActionIcon onClick={() => flow.zoomIn({ duration: 150 })} aria-label={t('editor.zoomIn')}>
          <IconPlus size={16} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={`${t('editor.fit')} · Shift 1`}>
        <ActionIcon onClick={fit} aria-label={t('editor.fit')}>
          <IconMaximize size={16} />
        </ActionIcon>
      </Tooltip>
      {!readOnly && (
        <>
          <Divider orientation="vertical" my={6} />
          <Button
            variant="subtle"
            color="gray"
            size="compact-md"
            fz="sm"
            leftSection={<IconWand size={16} />}
            onClick={tidy}
          >
            {t('editor.tidy')}
          </Button>
        </>
      )}
    </Panel>
  )
}

/** The bin that appears while cards are dragged. */
function useBin() {
  const ref = useRef<HTMLDivElement>(null)
  const [hot, setHot] = useState(false)
  const shown = useEditor((state) => state.dragging)
  const isOver = (event: MouseEvent | TouchEvent) => {
    const at = 'clientX' in event ? event : event.changedTouches[0]!
    const box = ref.current!.getBoundingClientRect()
    return at.clientX > box.left && at.clientX < box.right && at.clientY > box.top && at.clientY < box.bottom
  }
  return { ref, shown, hot: shown && hot, isOver, hover: (event: MouseEvent | TouchEvent) => setHot(isOver(event)) }
}

function useFit(readOnly: boolean) {
  const flow = useReactFlow()
  return useCallback(() => {
    const left = readOnly ? '32px' : '244px'
    void flow.fitView({ ...FIT, padding: { ...FIT.padding, left } })
  }, [flow, readOnly])
}

/** Once the cards are measured: tidy up a document that nobody has arranged here yet, and show everything. */
function useFirstView(scenarioId: number, ready: boolean, fit: () => void) {
  const shown = useRef(0)
  useEffect(() => {
    if (!ready || shown.current === scenarioId) return
    shown.current = scenarioId
    const { cards, status, arrange } = useEditor.getState()
    if (status.revision === 1 && isPiledUp(cards)) arrange()
    requestAnimationFrame(fit)
  }, [ready, scenarioId, fit])
}

/** Bring the opened card beside the drawer. */
function useShowOpened() {
  const flow = useReactFlow<Card, Link>()
  const openId = useEditor((state) => state.openId)
  useEffect(() => {
    const card = openId && flow.getNode(openId)
    if (!card) return
    const canvas = document.querySelector('.canvas')!.getBoundingClientRect()
    const zoom = Math.max(flow.getZoom(), READABLE_ZOOM)
    const left = useEditor.getState().readOnly ? 0 : 212
    const [width, height] = [card.measured?.width ?? 264, card.measured?.height ?? 150]
    const x = (canvas.width - DRAWER + left) / 2 - (card.position.x + width / 2) * zoom
    const y = canvas.height * 0.42 - (card.position.y + height / 2) * zoom
    void flow.setViewport({ x, y, zoom }, { duration: 300 })
  }, [openId, flow])
}

function useKeys(fit: () => void) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === 'Escape') return useEditor.getState().open(null)
      if (!wantsKeys(event.target)) return
      const { undo, redo, readOnly, cards, open, duplicate } = useEditor.getState()
      const command = event.ctrlKey || event.metaKey
      const key = event.key.toLowerCase()
      const selected = cards.find((card) => card.selected)
      if (command && key === 'z' && !readOnly) {
        event.preventDefault()
        if (event.shiftKey) redo()
        else undo()
      } else if (command && key === 'y' && !readOnly) {
        event.preventDefault()
        redo()
      } else if (command && key === 'd' && selected && !readOnly) {
        event.preventDefault()
        duplicate(selected.id)
      } else if (event.key === 'Enter') {
        const focused = (event.target as HTMLElement).closest<HTMLElement>('.react-flow__node')?.dataset.id
        if (focused) open(focused)
      } else if (event.shiftKey && event.code === 'Digit1') fit()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [fit])
}
