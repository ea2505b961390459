import { Alert, Button, Group, Modal, Radio, Stack } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ProfileField } from '../api/databases'
import { errorText } from '../api/errorText'
import { mergeProfiles, useMergePreview, type MergePreview, type Side } from '../api/merging'
import type { Profile, ProfileRow } from '../api/profiles'
import { LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { settingText } from '../i18n'
import { shownValue } from '../profiles/fieldValue'
import { called, FindProfile } from './FindProfile'

type Props = { profile: Profile; fields: ProfileField[]; onClose: () => void }

/** Finds the other profile, shows what a merge would do with a choice for each field, and merges. */
export function MergeDialog({ profile, fields, onClose }: Props) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [other, setOther] = useState<ProfileRow>()
  const [choices, setChoices] = useState<Record<string, Side>>({})
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const preview = useMergePreview(profile.id, other?.id)
  const merge = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      await mergeProfiles(profile.id, other!.id, choices)
      toast.good(t('area.merging.merged'))
      await Promise.all(
        [['profile', profile.id], ['profiles'], ['relations']].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      )
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
      size="xl"
      title={<b>{t('area.merging.mergeTitle')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        {failure !== undefined && (
          <Alert color="red" variant="light" role="alert">
            {errorText(failure)}
          </Alert>
        )}
        {!other && <FindProfile database={profile.database} without={profile.id} onChoose={setOther} />}
        {other && <b>{called(other.fields, other.id)}</b>}
        {other && preview.isPending && <Waiting rows={3} />}
        {preview.isError && <LoadFailure error={preview.error} retry={preview.refetch} />}
        {preview.data && (
          <>
            <Differences seen={preview.data} fields={fields} choices={choices} onChoose={setChoices} />
            <Consequences seen={preview.data} />
          </>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={other ? () => setOther(undefined) : onClose}>
            {t(other ? 'back' : 'cancel')}
          </Button>
          <Button disabled={!preview.data || !other} loading={busy} onClick={merge}>
            {t('area.merging.confirm')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

type Choosing = {
  seen: MergePreview
  fields: ProfileField[]
  choices: Record<string, Side>
  onChoose: (choices: Record<string, Side>) => void
}

function Differences({ seen, fields, choices, onChoose }: Choosing) {
  const { t } = useTranslation()
  const typeOf = (name: string) => fields.find((field) => field.name === name)?.type ?? 'line'
  if (seen.differences.length === 0) return <p style={{ margin: 0 }}>{t('area.merging.same')}</p>
  return (
    <div className="panel table-panel">
      <table className="table">
        <thead>
          <tr>
            <th>{t('area.merging.field')}</th>
            <th>{t('area.merging.here')}</th>
            <th>{t('area.merging.there')}</th>
          </tr>
        </thead>
        <tbody>
          {seen.differences.map((one) => {
            const told = (value: unknown) =>
              value == null || value === '' ? '—' : shownValue(value, typeOf(one.name), t)
            const equal = (side: unknown) => JSON.stringify(one.settled) === JSON.stringify(side)
            const both = !equal(one.survivor) && !equal(one.merged)
            const side =
              choices[one.name] ?? (equal(one.survivor) ? 'survivor' : equal(one.merged) ? 'merged' : undefined)
            const choice = (wanted: Side, value: unknown) => (
              <Radio
                label={told(value)}
                checked={side === wanted}
                disabled={!one.choosable}
                aria-label={`${settingText(one.title)}: ${told(value)}`}
                onChange={() => onChoose({ ...choices, [one.name]: wanted })}
              />
            )
            return (
              <tr key={one.name}>
                <td>
                  {settingText(one.title)}
                  {both && !choices[one.name] && (
                    <div className="soft">{t('area.merging.united', { value: told(one.settled) })}</div>
                  )}
                </td>
                <td className="wrapping">{choice('survivor', one.survivor)}</td>
                <td className="wrapping">{choice('merged', one.merged)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function Consequences({ seen }: { seen: MergePreview }) {
  const { t } = useTranslation()
  return (
    <div style={{ color: 'var(--ink2)' }}>
      {seen.coming > 0 && <p style={{ margin: '0 0 8px' }}>{t('area.merging.coming', { count: seen.coming })}</p>}
      {seen.joining.length > 0 && (
        <>
          <p style={{ margin: 0 }}>{t('area.merging.joining')}</p>
          <ul style={{ margin: '0 0 8px' }}>
            {seen.joining.map((one) => (
              <li key={`${one.resource} ${one.channel} ${one.contact}`}>
                {one.contact} · {one.resource}: {t(`subscription.${one.holds}`)}
              </li>
            ))}
          </ul>
        </>
      )}
      {seen.scenarios.length > 0 && (
        <p style={{ margin: '0 0 8px' }}>{t('area.merging.ends', { names: seen.scenarios.join(', ') })}</p>
      )}
      <p style={{ margin: 0 }}>{t('area.merging.after')}</p>
    </div>
  )
}
