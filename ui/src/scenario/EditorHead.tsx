import { ActionIcon, Button, Divider, Menu, Switch, Tooltip } from '@mantine/core'
import {
  IconAdjustments,
  IconAlertCircle,
  IconArrowBackUp,
  IconArrowForwardUp,
  IconCalendar,
  IconChevronRight,
  IconCircleCheck,
  IconCloudUp,
  IconEye,
  IconPlayerPlay,
  IconPlayerStop,
  IconRocket,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { StatusPill } from '../components/StatusPill'
import { ActivateWindow, PublishWindow, StopWindow } from './confirmations'
import { useEditor, type Saving } from './editorStore'
import { Hints } from './Hints'
import { PERIODS, type PeriodName } from './period'
import { ScenarioSettings } from './ScenarioSettings'

type Props = { period: PeriodName; onPeriod: (period: PeriodName) => void; saveNow: () => Promise<boolean> }

export function EditorHead({ period, onPeriod, saveNow }: Props) {
  const { t } = useTranslation()
  const status = useEditor((state) => state.status)
  const readOnly = useEditor((state) => state.readOnly)
  const showFigures = useEditor((state) => state.showFigures)
  return (
    <header className="editor-head">
      <div className="part">
        <Link to="/scenarios" className="crumb">
          {t('nav.scenarios')}
        </Link>
        <IconChevronRight size={14} color="var(--ink3)" />
        <NameField />
        <StatusPill active={status.active} published={status.published_number !== null} />
        <SaveMark />
      </div>
      <div className="part">
        {!readOnly && <UndoButtons />}
        <Switch
          checked={showFigures}
          onChange={(event) => useEditor.setState({ showFigures: event.currentTarget.checked })}
          label={t('editor.statistics')}
        />
        {showFigures && <PeriodChoice period={period} onPeriod={onPeriod} />}
        {!readOnly && (
          <>
            <Divider orientation="vertical" my={6} mx={4} />
            <SettingsButton />
            <Hints />
            <MainButtons saveNow={saveNow} />
          </>
        )}
      </div>
    </header>
  )
}

function NameField() {
  const { t } = useTranslation()
  const name = useEditor((state) => state.head.name)
  const readOnly = useEditor((state) => state.readOnly)
  const [draft, setDraft] = useState<string | null>(null)
  const keep = () => {
    const next = draft?.trim()
    if (next && next !== name) useEditor.getState().changeHead({ name: next })
    setDraft(null)
  }
  return (
    <h1 style={{ margin: 0, display: 'flex' }}>
      <input
        className="editor-name"
        aria-label={t('editor.name')}
        maxLength={200}
        readOnly={readOnly}
        value={draft ?? name}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={keep}
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.currentTarget.blur()
          if (event.key === 'Escape') setDraft(null)
        }}
      />
    </h1>
  )
}

const MARKS: Record<Saving, { icon: typeof IconCircleCheck; word: string; bad?: boolean }> = {
  saved: { icon: IconCircleCheck, word: 'saved' },
  unsaved: { icon: IconCloudUp, word: 'unsaved' },
  saving: { icon: IconCloudUp, word: 'saving' },
  failed: { icon: IconAlertCircle, word: 'saveFailed', bad: true },
  conflict: { icon: IconAlertCircle, word: 'saveFailed', bad: true },
}

function SaveMark() {
  const { t } = useTranslation()
  const saving = useEditor((state) => state.saving)
  const readOnly = useEditor((state) => state.readOnly)
  const mark = MARKS[saving]
  const Icon = readOnly ? IconEye : mark.icon
  return (
    <span className={`save-mark${mark.bad ? ' bad' : ''}`} role="status">
      <Icon size={15} /> {t(`editor.${readOnly ? 'viewing' : mark.word}`)}
    </span>
  )
}

function UndoButtons() {
  const { t } = useTranslation()
  const canUndo = useEditor((state) => state.past.length > 0)
  const canRedo = useEditor((state) => state.future.length > 0)
  const { undo, redo } = useEditor.getState()
  return (
    <>
      <Tooltip label={`${t('editor.undo')} · Ctrl Z`}>
        <ActionIcon disabled={!canUndo} onClick={undo} aria-label={t('editor.undo')} bg="transparent">
          <IconArrowBackUp size={18} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={`${t('editor.redo')} · Ctrl Shift Z`}>
        <ActionIcon disabled={!canRedo} onClick={redo} aria-label={t('editor.redo')} bg="transparent">
          <IconArrowForwardUp size={18} />
        </ActionIcon>
      </Tooltip>
      <Divider orientation="vertical" my={6} mx={4} />
    </>
  )
}

function PeriodChoice({ period, onPeriod }: Omit<Props, 'saveNow'>) {
  const { t } = useTranslation()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          variant="default"
          size="compact-md"
          fz="sm"
          leftSection={<IconCalendar size={15} />}
          aria-label={`${t('editor.period')}: ${t(`editor.periods.${period}`)}`}
        >
          {t(`editor.periods.${period}`)}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {PERIODS.map((name) => (
          <Menu.Item key={name} fw={name === period ? 650 : undefined} onClick={() => onPeriod(name)}>
            {t(`editor.periods.${name}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function SettingsButton() {
  const { t } = useTranslation()
  const [shown, setShown] = useState(false)
  return (
    <>
      <Tooltip label={t('editor.settings')}>
        <ActionIcon aria-label={t('editor.settings')} onClick={() => setShown(true)}>
          <IconAdjustments size={18} />
        </ActionIcon>
      </Tooltip>
      {shown && <ScenarioSettings onClose={() => setShown(false)} />}
    </>
  )
}

function MainButtons({ saveNow }: { saveNow: () => Promise<boolean> }) {
  const { t } = useTranslation()
  const { active, published_number, changed } = useEditor((state) => state.status)
  const unsaved = useEditor((state) => state.saving !== 'saved')
  const [asking, setAsking] = useState<'publish' | 'activate' | 'stop' | null>(null)
  const published = published_number !== null
  const canPublish = !published || changed || unsaved
  const close = () => setAsking(null)
  return (
    <>
      {active ? (
        <Button variant="default" leftSection={<IconPlayerStop size={16} />} onClick={() => setAsking('stop')}>
          {t('editor.stop')}
        </Button>
      ) : (
        <Button
          variant={canPublish ? 'default' : 'filled'}
          leftSection={<IconPlayerPlay size={16} />}
          disabled={!published}
          onClick={() => setAsking('activate')}
        >
          {t('editor.activate')}
        </Button>
      )}
      {canPublish && (
        <Button leftSection={<IconRocket size={16} />} onClick={() => setAsking('publish')}>
          {t(published ? 'editor.publishChanges' : 'editor.publish')}
        </Button>
      )}
      {asking === 'publish' && <PublishWindow saveNow={saveNow} onClose={close} />}
      {asking === 'activate' && <ActivateWindow onClose={close} />}
      {asking === 'stop' && <StopWindow onClose={close} />}
    </>
  )
}
