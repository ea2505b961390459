import { ActionIcon, Select, Stack, Tabs, Textarea, TextInput, Tooltip } from '@mantine/core'
import {
  IconAdjustmentsHorizontal,
  IconChartBar,
  IconCopy,
  IconNote,
  IconTrash,
  IconUsers,
  IconX,
} from '@tabler/icons-react'
import { useEffect, useEffectEvent, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { describeNode, type Description } from '../api/scenarios'
import { number } from '../format/numbers'
import { useLanguage } from '../i18n'
import { SchemaForm } from '../forms/SchemaForm'
import { useEditor } from './editorStore'
import type { Card } from './graph'
import { nodeIcon } from './nodeIcons'
import { useNodeType } from './paletteTypes'
import { PeopleInside } from './PeopleInside'
import { StepFigures } from './StepFigures'

const DESCRIBE_AFTER_MS = 250

/** The settings of the opened step, beside the canvas that stays usable. Changes hold at once; undo takes them back. */
export function Drawer() {
  const openId = useEditor((state) => state.openId)
  const card = useEditor((state) => state.cards.find((found) => found.id === state.openId))
  const described = useEditor((state) => state.described[state.openId ?? ''])
  if (!openId || !card || !described) return null
  return <OpenDrawer key={openId} card={card} described={described} />
}

type Props = { card: Card; described: Description }

function OpenDrawer({ card, described }: Props) {
  const { t } = useTranslation()
  const readOnly = useEditor((state) => state.readOnly)
  const inside = useEditor((state) => state.figures?.nodes[card.id]?.inside ?? 0)
  const { open, duplicate, removeNodes, editNode } = useEditor.getState()
  const head = useRef<HTMLDivElement>(null)
  useFreshDescription(card)
  useEffect(() => head.current?.focus({ preventScroll: true }), [])
  const Icon = nodeIcon(described.icon)
  const title = card.data.title || described.type_title
  return (
    <section className="drawer" role="dialog" aria-label={title} tabIndex={-1} ref={head}>
      <div className="drawer-head">
        <span className={`tile cat-${described.category}`}>
          <Icon size={19} stroke={1.8} />
        </span>
        <div className="card-title">
          <div className="card-kind">{described.type_title}</div>
          <h2>{title}</h2>
        </div>
        {!readOnly && (
          <>
            <Tooltip label={t('drawer.duplicate')}>
              <ActionIcon aria-label={t('drawer.duplicate')} onClick={() => duplicate(card.id)}>
                <IconCopy size={17} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label={t('delete')}>
              <ActionIcon aria-label={t('delete')} onClick={() => removeNodes([card.id])}>
                <IconTrash size={17} />
              </ActionIcon>
            </Tooltip>
          </>
        )}
        <ActionIcon aria-label={t('close')} onClick={() => open(null)}>
          <IconX size={18} />
        </ActionIcon>
      </div>
      <Tabs defaultValue="settings" className="drawer-tabs" keepMounted={false}>
        <Tabs.List px="lg">
          <Tabs.Tab value="settings" leftSection={<IconAdjustmentsHorizontal size={15} />}>
            {t('drawer.settings')}
          </Tabs.Tab>
          <Tabs.Tab value="people" leftSection={<IconUsers size={15} />}>
            {t('drawer.people')} {inside > 0 && <b>{number(inside)}</b>}
          </Tabs.Tab>
          <Tabs.Tab value="figures" leftSection={<IconChartBar size={15} />}>
            {t('drawer.statistics')}
          </Tabs.Tab>
          <Tabs.Tab value="note" leftSection={<IconNote size={15} />}>
            {t('drawer.note')}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="settings" className="drawer-body">
          <StepSettings card={card} described={described} />
        </Tabs.Panel>
        <Tabs.Panel value="people" className="drawer-body">
          <PeopleInside nodeId={Number(card.id)} />
        </Tabs.Panel>
        <Tabs.Panel value="figures" className="drawer-body">
          <StepFigures id={card.id} described={described} />
        </Tabs.Panel>
        <Tabs.Panel value="note" className="drawer-body">
          <Textarea
            autosize
            minRows={6}
            maxLength={2000}
            aria-label={t('drawer.note')}
            placeholder={t('drawer.notePlaceholder')}
            readOnly={readOnly}
            value={card.data.comment}
            onChange={(event) => editNode(card.id, { comment: event.currentTarget.value })}
          />
        </Tabs.Panel>
      </Tabs>
    </section>
  )
}

function StepSettings({ card, described }: Props) {
  const { t } = useTranslation()
  const readOnly = useEditor((state) => state.readOnly)
  const database = useEditor((state) => state.head.database)
  const cards = useEditor((state) => state.cards)
  const names = useEditor((state) => state.described)
  const editNode = useEditor.getState().editNode
  const schema = useNodeType(card.data.type)?.schema
  const hasSettings = Object.keys(schema?.properties ?? {}).length > 0
  const steps = cards.map(({ id, data }) => ({ id: Number(id), title: data.title || names[id]?.type_title || id }))
  return (
    <Stack gap="md">
      <TextInput
        label={t('drawer.title')}
        value={card.data.title}
        placeholder={described.type_title}
        maxLength={200}
        readOnly={readOnly}
        onChange={(event) => editNode(card.id, { title: event.currentTarget.value })}
      />
      {schema && hasSettings && (
        <SchemaForm
          schema={schema}
          value={card.data.settings}
          problems={described.problems}
          context={{ database, steps, nodeType: card.data.type, disabled: readOnly }}
          onChange={(settings) => editNode(card.id, { settings })}
        />
      )}
      {schema && !hasSettings && <span style={{ color: 'var(--ink2)' }}>{t('drawer.noSettings')}</span>}
      <StepOutputs card={card} described={described} />
    </Stack>
  )
}

/** Where each output leads: to link without a mouse. */
function StepOutputs({ card, described }: Props) {
  const { t } = useTranslation()
  const readOnly = useEditor((state) => state.readOnly)
  const cards = useEditor((state) => state.cards)
  const links = useEditor((state) => state.links)
  const names = useEditor((state) => state.described)
  const connect = useEditor.getState().connect
  const targets = cards
    .filter(({ id }) => id !== card.id && names[id]?.category !== 'trigger')
    .map(({ id, data }) => ({ value: id, label: data.title || names[id]?.type_title || id }))
  const ports = described.ports.filter((port) => port.linkable)
  if (!ports.length) return null
  return (
    <div role="group" aria-label={t('drawer.outputs')}>
      <div style={{ fontWeight: 500, fontSize: 14 }}>{t('drawer.outputs')}</div>
      {ports.map((port) => {
        const link = links.find((found) => found.source === card.id && found.sourceHandle === port.id)
        return (
          <div className="output-row" key={port.id}>
            <span className={`pill tone-${port.tone}`}>{port.title}</span>
            <span style={{ color: 'var(--ink2)' }}>{t('drawer.leadsTo')}</span>
            <Select
              size="xs"
              flex={1}
              searchable
              clearable
              disabled={readOnly}
              aria-label={`${port.title} ${t('drawer.leadsTo')}`}
              placeholder={port.optional ? t('drawer.optionalEnds') : t('drawer.ends')}
              data={targets}
              value={link?.target ?? null}
              onChange={(target) => connect(card.id, port.id, target)}
            />
          </div>
        )
      })}
    </div>
  )
}

/** Asks what the changed settings mean: outputs, summary and problems, before they are saved. */
function useFreshDescription(card: Card) {
  const language = useLanguage()
  const scenarioId = useEditor((state) => state.status.id)
  const { type, settings } = card.data
  const first = useRef(settings)
  const ask = useEffectEvent(async (signal: AbortSignal) => {
    try {
      useEditor.getState().describe(card.id, await describeNode(type, settings, scenarioId, language, signal))
    } catch {
      /* The save that follows brings the description as well. */
    }
  })
  useEffect(() => {
    if (first.current === settings) return
    const abort = new AbortController()
    const timer = setTimeout(() => void ask(abort.signal), DESCRIBE_AFTER_MS)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [settings])
}
