import { Button, Group, Modal, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ReentryFields } from '../scenarios/ReentryFields'
import { useEditor } from './editorStore'

/** Re-entry and description of the scenario. */
export function ScenarioSettings({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const head = useEditor((state) => state.head)
  const [reentry, setReentry] = useState(head.reentry)
  const [description, setDescription] = useState(head.description)
  const keep = () => {
    useEditor.getState().changeHead({ reentry, description })
    onClose()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('editor.settings')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
      size="lg"
    >
      <ReentryFields value={reentry} onChange={setReentry} />
      <Textarea
        mt="md"
        label={t('drawer.note')}
        autosize
        minRows={2}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
      <Group justify="flex-end" mt="lg" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button onClick={keep}>{t('apply')}</Button>
      </Group>
    </Modal>
  )
}
