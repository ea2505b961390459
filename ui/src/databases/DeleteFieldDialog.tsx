import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { deleteField, useForgetDatabases, type ProfileField } from '../api/databases'
import { errorText } from '../api/errorText'
import { settingText } from '../i18n'

type Props = { database: number; field: ProfileField; onClose: () => void }

/** Asks before a field goes with its values. */
export function DeleteFieldDialog({ database, field, onClose }: Props) {
  const { t } = useTranslation()
  const forget = useForgetDatabases()
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const remove = async () => {
    setBusy(true)
    try {
      await deleteField(database, field.name)
      await forget()
      onClose()
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.databases.deleteTitle', { name: settingText(field.title) })}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        <Text size="sm">{t('area.databases.deleteText')}</Text>
        {failure !== undefined && (
          <Alert color="red" variant="light" role="alert">
            {errorText(failure)}
          </Alert>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button color="red" loading={busy} onClick={remove}>
            {t('area.databases.deleteNow')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
