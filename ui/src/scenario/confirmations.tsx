/** The three questions before a scenario goes to work or stops. */
import { Alert, Button, Checkbox, Group, Modal } from '@mantine/core'
import { IconFlask } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '../api/client'
import { errorText } from '../api/errorText'
import {
  activateScenario,
  loadScenario,
  publishScenario,
  stopScenario,
  useForgetScenarios,
  type Scenario,
} from '../api/scenarios'
import { useStatus } from '../api/status'
import { useLanguage } from '../i18n'
import { toast } from '../components/toasts'
import { useEditor } from './editorStore'

type Props = { onClose: () => void }
type WindowProps = Props & { title: string; children: ReactNode; actions: ReactNode }

function Question({ title, children, actions, onClose }: WindowProps) {
  const { t } = useTranslation()
  return (
    <Modal opened onClose={onClose} title={<b>{title}</b>} closeButtonProps={{ 'aria-label': t('close') }}>
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
  const { id, active } = useEditor((state) => state.status)
  const sandbox = useStatus().data?.sandbox
  const toSandbox = sandbox?.email || sandbox?.sms
  const publish = async () => {
    if (!(await saveNow())) throw new ApiError(409, 'not_saved', t('editor.saveFailed'))
    return publishScenario(id, true)
  }
  const told = (scenario: Scenario) => t('editor.published', { number: scenario.published_number })
  return (
    <Question
      title={t('editor.publishTitle')}
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
      <p style={{ margin: 0 }}>{t('editor.publishText')}</p>
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
