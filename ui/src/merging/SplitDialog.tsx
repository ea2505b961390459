import { Alert, Button, Checkbox, Group, Modal, Stack } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ProfileField } from '../api/databases'
import { errorText } from '../api/errorText'
import { splitProfile } from '../api/merging'
import { useForgetProfiles, type Profile } from '../api/profiles'
import { toast } from '../components/toasts'
import { settingText } from '../i18n'
import { shownValue } from '../profiles/fieldValue'

const STAY = ['_status', '_is_test', '_no_tracking', 'phones']

type Props = { profile: Profile; fields: ProfileField[]; onClose: () => void }

/** Chooses fields, phones and subscriptions that become a profile of their own. */
export function SplitDialog({ profile, fields, onClose }: Props) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetProfiles()
  const [chosen, setChosen] = useState<{ fields: string[]; phones: string[]; subscriptions: string[] }>({
    fields: [],
    phones: [],
    subscriptions: [],
  })
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const phones = (profile.fields.phones as string[] | undefined) ?? []
  const filled = fields.filter(({ name }) => !STAY.includes(name) && profile.fields[name] != null)
  const split = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      const made = await splitProfile(profile.id, { ...chosen, subscriptions: chosen.subscriptions.map(Number) })
      toast.good(t('area.merging.splitDone'))
      await forget()
      await navigate({ to: '/profiles/$id', params: { id: made.id } })
      onClose()
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  const list = (part: keyof typeof chosen, title: string, items: { value: string; label: string }[]) =>
    items.length > 0 && (
      <Checkbox.Group label={title} value={chosen[part]} onChange={(next) => setChosen({ ...chosen, [part]: next })}>
        <Stack gap={6} mt={6}>
          {items.map((item) => (
            <Checkbox key={item.value} value={item.value} label={item.label} />
          ))}
        </Stack>
      </Checkbox.Group>
    )
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<b>{t('area.merging.splitTitle')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        <p style={{ margin: 0, color: 'var(--ink2)' }}>{t('area.merging.splitText')}</p>
        {failure !== undefined && (
          <Alert color="red" variant="light" role="alert">
            {errorText(failure)}
          </Alert>
        )}
        {list(
          'fields',
          t('area.merging.splitFields'),
          filled.map(({ name, title, type }) => ({
            value: name,
            label: `${settingText(title)}: ${shownValue(profile.fields[name], type, t)}`,
          })),
        )}
        {list(
          'phones',
          t('area.merging.splitPhones'),
          phones.map((phone) => ({ value: phone, label: phone })),
        )}
        {list(
          'subscriptions',
          t('area.merging.splitSubscriptions'),
          profile.subscriptions
            .filter((one) => !one.deleted_at)
            .map((one) => ({
              value: String(one.id),
              label: `${one.contact} · ${one.resource_name} · ${t(`channel.${one.channel}`)}`,
            })),
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button disabled={Object.values(chosen).every((part) => !part.length)} loading={busy} onClick={split}>
            {t('area.merging.splitConfirm')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
