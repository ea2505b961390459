import { Button, CloseButton } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { undoMigration, useForgetScenarios, useMigrations } from '../api/scenarios'
import { toast } from '../components/toasts'
import { number } from '../format/numbers'
import { useEditor } from './editorStore'

/** The people who were taken along to the version of now: it can be undone while nobody has gone on. */
export function LastBatch() {
  const { t } = useTranslation()
  const id = useEditor((state) => state.status.id)
  const readOnly = useEditor((state) => state.readOnly)
  const { data: last } = useMigrations(id)
  const forget = useForgetScenarios()
  const [busy, setBusy] = useState(false)
  const [hidden, setHidden] = useState(0)
  const version = useEditor((state) => state.status.published_number)
  if (readOnly || !last || last.undone_at || last.moved + last.taken_out === 0) return null
  if (hidden === last.id || last.version !== version) return null
  const undo = async () => {
    setBusy(true)
    try {
      await undoMigration(id, last.id)
      toast.good(t('area.editing.undone'))
    } catch (error) {
      toast.bad(errorText(error))
    }
    setBusy(false)
    void forget()
  }
  const figures = { moved: number(last.moved), out: number(last.taken_out), version: last.version }
  return (
    <div className="strip last-batch" role="status">
      <span>{t('area.editing.lastBatch', figures)}</span>
      <Button size="compact-xs" variant="subtle" loading={busy} onClick={undo}>
        {t('area.editing.undo')}
      </Button>
      <CloseButton size="sm" aria-label={t('close')} onClick={() => setHidden(last.id)} />
    </div>
  )
}
