import { Button, Group, Modal, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { AwaitedList, type Awaited } from '../forms/AwaitedField'
import { ReentryFields } from '../scenarios/ReentryFields'
import { useEditor } from './editorStore'

/** Re-entry and description of the scenario. */
export function ScenarioSettings({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const head = useEditor((state) => state.head)
  const [reentry, setReentry] = useState(head.reentry)
  const [description, setDescription] = useState(head.description)
  const [exits, setExits] = useState<Awaited[]>(head.exits)
  const keep = () => {
    useEditor.getState().changeHead({ reentry, description, exits: exits as typeof head.exits })
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
      <div style={{ marginTop: 16 }}>
        <AwaitedList
          label={t('area.steps.exits')}
          hint={t('area.steps.exitsHint')}
          least={0}
          value={exits}
          disabled={false}
          onChange={setExits}
        />
      </div>
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
