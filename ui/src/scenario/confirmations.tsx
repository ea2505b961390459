/** The three questions before a scenario goes to work or stops. */
import { Alert, Button, Checkbox, Group, Modal } from '@mantine/core'
import { IconFlask } from '@tabler/icons-react'
import { useEffect, useEffectEvent, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '../api/client'
import { errorText } from '../api/errorText'
import {
  activateScenario,
  loadScenario,
  publishScenario,
  stopScenario,
  useEditPreview,
  useForgetScenarios,
  type Moves,
  type Scenario,
} from '../api/scenarios'
import { useStatus } from '../api/status'
import { useLanguage } from '../i18n'
import { toast } from '../components/toasts'
import { EditPreview } from './EditPreview'
import { useEditor } from './editorStore'

type Props = { onClose: () => void }
type WindowProps = Props & { title: string; children: ReactNode; actions: ReactNode; size?: string }

function Question({ title, children, actions, onClose, size }: WindowProps) {
  const { t } = useTranslation()
  return (
    <Modal opened size={size} onClose={onClose} title={<b>{title}</b>} closeButtonProps={{ 'aria-label': t('close') }}>
      {children}
      <Group justify="flex-end" mt="lg" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        {actions}
      </Group>
    </Modal>
  )
}

/** Runs what a question asked for, takes over the new state and tells how it went. */
function useDeed(onClose: () => void) {
  const language = useLanguage()
  const forget = useForgetScenarios()
  const [busy, setBusy] = useState(false)
  const run = async (deed: () => Promise<Scenario>, told: (scenario: Scenario) => string) => {
    setBusy(true)
    const id = useEditor.getState().status.id
    try {
      const done = await deed()
      toast.good(told(done))
      useEditor.getState().accept(await loadScenario(id, language))
      void forget()
    } catch (error) {
      if (error instanceof ApiError && error.problems.length) useEditor.setState({ problems: error.problems })
      toast.bad(errorText(error))
    }
    onClose()
  }
  return { busy, run }
}

export function PublishWindow({ saveNow, onClose }: Props & { saveNow: () => Promise<boolean> }) {
  const { t } = useTranslation()
  const { busy, run } = useDeed(onClose)
  const { id, active, published_number } = useEditor((state) => state.status)
  const language = useLanguage()
  const [saved, setSaved] = useState(false)
  const [takeAlong, setTakeAlong] = useState(false)
  const [moves, setMoves] = useState<Moves>({})
  const isEdit = published_number !== null
  const preview = useEditPreview(id, language, isEdit && saved).data
  const save = useEffectEvent(async () => setSaved(await saveNow()))
  useEffect(() => void save(), [])
  const sandbox = useStatus().data?.sandbox
  const toSandbox = sandbox?.email || sandbox?.sms
  const publish = async () => {
    if (!(await saveNow())) throw new ApiError(409, 'not_saved', t('editor.saveFailed'))
    const gone = new Set(preview?.waiting.filter(({ fate }) => fate === 'gone').map((group) => group.node_id))
    const wanted = Object.fromEntries(Object.entries(moves).filter(([node]) => gone.has(Number(node))))
    return publishScenario(id, true, takeAlong, wanted)
  }
  const told = (scenario: Scenario) => t('editor.published', { number: scenario.published_number })
  return (
    <Question
      title={t('editor.publishTitle')}
      size={isEdit ? 'lg' : undefined}
      onClose={onClose}
      actions={
        <>
          <Button loading={busy} variant={active ? 'filled' : 'default'} onClick={() => run(publish, told)}>
            {t('editor.publish')}
          </Button>
          {!active && (
            <Button
              loading={busy}
              onClick={() =>
                run(
                  () => publish().then(() => activateScenario(id)),
                  () => t('editor.activated'),
                )
              }
            >
              {t('editor.publishAndActivate')}
            </Button>
          )}
        </>
      }
    >
      {isEdit && saved ? (
        <EditPreview
          preview={preview}
          takeAlong={takeAlong}
          moves={moves}
          onChange={(along, next) => {
            setTakeAlong(along)
            setMoves(next)
          }}
        />
      ) : (
        <p style={{ margin: 0 }}>{t('editor.publishText')}</p>
      )}
      {toSandbox && (
        <Alert mt="md" color="yellow" variant="light" icon={<IconFlask size={18} />}>
          {t('editor.publishSandbox')}
        </Alert>
      )}
    </Question>
  )
}

export function ActivateWindow({ onClose }: Props) {
  const { t } = useTranslation()
  const { busy, run } = useDeed(onClose)
  const { id, database_name } = useEditor((state) => state.status)
  return (
    <Question
      title={t('editor.activateTitle')}
      onClose={onClose}
      actions={
        <Button
          loading={busy}
          onClick={() =>
            run(
              () => activateScenario(id),
              () => t('editor.activated'),
            )
          }
        >
          {t('editor.activate')}
        </Button>
      }
    >
      <p style={{ margin: 0 }}>{t('editor.activateText', { database: database_name })}</p>
    </Question>
  )
}

export function StopWindow({ onClose }: Props) {
  const { t } = useTranslation()
  const { busy, run } = useDeed(onClose)
  const id = useEditor((state) => state.status.id)
  const [clear, setClear] = useState(false)
  return (
    <Question
      title={t('editor.stopTitle')}
      onClose={onClose}
      actions={
        <Button
          color="red"
          loading={busy}
          onClick={() =>
            run(
              () => stopScenario(id, clear),
              () => t('editor.stopped'),
            )
          }
        >
          {t('editor.stop')}
        </Button>
      }
    >
      <p style={{ margin: 0 }}>{t('editor.stopText')}</p>
      <Checkbox
        mt="md"
        label={t('editor.stopClear')}
        checked={clear}
        onChange={(event) => setClear(event.currentTarget.checked)}
      />
    </Question>
  )
}
