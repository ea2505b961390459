import { Alert, Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { erasePerson, useHeld } from '../api/privacy'
import { LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { number } from '../format/numbers'
import { useLanguage } from '../i18n'

type Props = { profile: string; onClose: () => void; onErased: () => void }

/** Shows what is kept about a person, and erases all of it after the id was typed. */
export function EraseDialog({ profile, onClose, onErased }: Props) {
  const { t } = useTranslation()
  const held = useHeld(profile, useLanguage())
  const client = useQueryClient()
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const erase = async () => {
    setBusy(true)
    try {
      await erasePerson(profile)
      toast.good(t('area.privacy.person.erased'))
      client.removeQueries({ queryKey: ['profile', profile] })
      await client.invalidateQueries({ queryKey: ['profiles'] })
      onErased()
    } catch (error) {
      toast.bad(errorText(error))
      setBusy(false)
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.privacy.person.eraseTitle')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />}>
          {t('area.privacy.person.eraseText')}
        </Alert>
        {held.isPending && <Waiting rows={3} />}
        {held.isError && <LoadFailure error={held.error} retry={held.refetch} />}
        {!!held.data?.length && (
          <table className="table" aria-label={t('area.privacy.person.held')}>
            <tbody>
              {held.data.map((part) => (
                <tr key={part.code}>
                  <td>{part.title}</td>
                  <td style={{ textAlign: 'right' }}>{number(part.count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <TextInput
          label={t('area.privacy.person.confirmLabel')}
          description={<code>{profile}</code>}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button color="red" loading={busy} disabled={typed.trim() !== profile} onClick={erase}>
            {t('area.privacy.person.eraseButton')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
