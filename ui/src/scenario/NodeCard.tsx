import { Tooltip } from '@mantine/core'
import { IconAlertTriangleFilled } from '@tabler/icons-react'
import { Handle, Position, useStore, type NodeProps, type ReactFlowState } from '@xyflow/react'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { problemText } from '../api/errorText'
import type { Description, NodeFigures, Port } from '../api/scenarios'
import { number, share } from '../format/numbers'
import { AddStep } from './AddStep'
import { cardFigures } from './cardFigures'
import { useEditor } from './editorStore'
import type { Card } from './graph'
import { linkId } from './graph'
import { nodeIcon } from './nodeIcons'

/** Below this zoom a card shows its icon and a large title only. */
const FAR = 0.45
export const isFar = (state: ReactFlowState) => state.transform[2] < FAR

/** The output on the card's header line, if there is one main output only; the others get a line of their own. */
function headerPort(ports: Port[]) {
  const main = ports.filter((port) => port.tone === 'main')
  return main.length === 1 ? main[0] : undefined
}

export const NodeCard = memo(function NodeCard({ id, data, selected }: NodeProps<Card>) {
  const { t } = useTranslation()
  const far = useStore(isFar)
  const described = useEditor((state) => state.described[id])
  const figures = useEditor((state) => (state.showFigures ? state.figures?.nodes[id] : undefined))
  if (!described) return null
  const title = data.title || described.type_title
  const Icon = nodeIcon(described.icon)
  const problem = described.problems[0]
  return (
    <div
      className={`card cat-${described.category}${selected ? ' selected' : ''}${far ? ' far' : ''}${problem ? ' has-problem' : ''}`}
    >
      {described.category !== 'trigger' && (
        <Handle
          type="target"
          position={Position.Left}
          id="in"
          role="button"
          className="handle-in"
          aria-label={t('editor.input', { title })}
        />
      )}
      <div className="card-head">
        <span className="tile">
          <Icon size={far ? 30 : 19} stroke={1.8} />
        </span>
        <div className="card-title">
          <div className="card-kind">{described.type_title}</div>
          <div className="card-name" title={title}>
            {title}
          </div>
        </div>
        {problem && (
          <Tooltip label={problemText(problem)} multiline maw={280}>
            <span className="card-mark" role="img" aria-label={problemText(problem)}>
              <IconAlertTriangleFilled size={17} />
            </span>
          </Tooltip>
        )}
      </div>
      {!far && <Summary described={described} />}
      {!far && figures && <Strip described={described} figures={figures} />}
      <Outputs id={id} title={title} ports={described.ports} figures={figures} selected={!!selected} far={far} />
    </div>
  )
})

function Summary({ described }: { described: Description }) {
  const { t } = useTranslation()
  const lines = described.summary.filter(Boolean)
  if (!lines.length)
    return described.problems.length ? <div className="card-body todo">{t('editor.notSetUp')}</div> : null
  return (
    <div className="card-body">
      {lines.map((line, index) => (
        <div className="card-line" key={index}>
          {line}
        </div>
      ))}
    </div>
  )
}

function Strip({ described, figures }: { described: Description; figures: NodeFigures }) {
  const { t } = useTranslation()
  const strip = cardFigures(described, figures)
  if (!strip.length) return null
  return (
    <div className="card-figures">
      {strip.map(({ word, value, tone }) => (
        <div className={`figure ${tone ?? ''}`} key={word}>
          <b>{value}</b>
          <span>{t(`figure.${word}`)}</span>
        </div>
      ))}
    </div>
  )
}

type OutputsProps = {
  id: string
  title: string
  ports: Port[]
  figures: NodeFigures | undefined
  selected: boolean
  far: boolean
}

function Outputs({ id, title, ports, figures, selected, far }: OutputsProps) {
  const linked = useEditor((state) =>
    state.links
      .filter((link) => link.source === id)
      .map((link) => link.sourceHandle)
      .join(' '),
  ).split(' ')
  const header = headerPort(ports)
  const total = ports.reduce((sum, port) => sum + (figures?.outputs[port.id] ?? 0), 0)
  /* The output for what went wrong stays out of sight until somebody uses it or opens the card. */
  const isShown = (port: Port) =>
    port !== header && (port.tone !== 'error' || selected || linked.includes(port.id) || !!figures?.outputs[port.id])
  const lines = ports.filter(isShown)
  return (
    <>
      {header?.linkable && <Output id={id} title={title} port={header} free={!linked.includes(header.id)} onHeader />}
      {lines.length > 0 && (
        <div className="card-ports">
          {lines.map((port) => {
            const people = figures?.outputs[port.id] ?? 0
            return (
              <div className={`port tone-${port.tone}`} key={port.id}>
                {figures && !far && (
                  <span className="port-people">
                    <b>{number(people)}</b> · {share(people, total)}
                  </span>
                )}
                <span className={`pill tone-${port.tone}`}>{port.title}</span>
                {port.linkable && <Output id={id} title={title} port={port} free={!linked.includes(port.id)} />}
              </div>
            )
          })}
        </div>
      )}
    </>
  )
}

type OutputProps = { id: string; title: string; port: Port; free: boolean; onHeader?: boolean }

function Output({ id, title, port, free, onHeader }: OutputProps) {
  const { t } = useTranslation()
  const canAdd = useEditor((state) => free && !state.dragging && !state.readOnly)
  const place = onHeader ? ' on-header' : ''
  return (
    <>
      <Handle
        type="source"
        position={Position.Right}
        id={port.id}
        role="button"
        className={`handle-out tone-${port.tone}${place}`}
        aria-label={t('editor.output', { title, port: port.title })}
        data-link={linkId(id, port.id)}
      />
      {canAdd && (
        <AddStep id={id} port={port} label={t('editor.addAfter', { title, port: port.title })} onHeader={onHeader} />
      )}
    </>
  )
}
