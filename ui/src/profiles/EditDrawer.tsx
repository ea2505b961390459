import { Alert, Button, Drawer, Group, Stack, Switch } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '../api/client'
import type { ProfileField } from '../api/databases'
import { errorText } from '../api/errorText'
import { changeProfile, createProfile, useForgetProfiles, type Profile } from '../api/profiles'
import { toast } from '../components/toasts'
import { FieldInput } from './FieldInput'
import { grouped } from './fieldGroups'

type Props = {
  database: number
  fields: ProfileField[]
  profile?: Profile
  onClose: () => void
  onSaved: (id: string) => void
}

/** All fields of a person in a form; what does not fit is told beside its field. */
export function EditDrawer({ database, fields, profile, onClose, onSaved }: Props) {
  const { t } = useTranslation()
  const forget = useForgetProfiles()
  const [changes, setChanges] = useState<Record<string, unknown>>({})
  const [quiet, setQuiet] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const place = failure instanceof ApiError ? failure.place : undefined
  const known = fields.some((field) => field.name === place)
  const save = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      const saved = profile
        ? await changeProfile(profile.id, changes, quiet)
        : await createProfile(database, changes, quiet)
      toast.good(t(profile ? 'area.people.saved' : 'area.people.made'))
      await forget()
      onSaved(saved.id)
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  const valueOf = (name: string) => (name in changes ? changes[name] : profile?.fields[name])
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="lg"
      title={<b>{t(profile ? 'area.people.edit' : 'area.people.create')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="xl">
        {failure !== undefined && !known && (
          <Alert color="red" variant="light" role="alert">
            {errorText(failure)}
          </Alert>
        )}
        {grouped(fields).map(({ group, fields: own }) => (
          <fieldset key={group} className="field-group">
            <legend>{t(`area.people.groups.${group}`)}</legend>
            <div className="field-grid">
              {own.map((field) => (
                <FieldInput
                  key={field.name}
                  field={field}
                  value={valueOf(field.name)}
                  error={place === field.name ? errorText(failure) : undefined}
                  onChange={(value) => setChanges({ ...changes, [field.name]: value })}
                />
              ))}
            </div>
          </fieldset>
        ))}
        <Switch
          label={t('area.people.quiet')}
          checked={quiet}
          onChange={(event) => setQuiet(event.currentTarget.checked)}
        />
        <Group justify="flex-end" gap={8} className="drawer-foot">
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button loading={busy} disabled={!Object.keys(changes).length} onClick={save}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </Drawer>
  )
}
