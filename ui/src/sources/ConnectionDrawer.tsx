import { Alert, Button, Drawer, Group, PasswordInput, Select, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '../api/client'
import { errorText } from '../api/errorText'
import type { Settings } from '../api/scenarios'
import {
  changeConnection,
  createConnection,
  useForgetSources,
  type Connection,
  type ConnectionKind,
} from '../api/sources'
import { toast } from '../components/toasts'
import { SchemaForm } from '../forms/SchemaForm'
import { settingText, useLanguage } from '../i18n'

type Props = { kinds: ConnectionKind[]; known?: Connection; onClose: () => void }

/** Makes a connection, or changes one; a secret that is there is kept unless a new one is written. */
export function ConnectionDrawer({ kinds, known, onClose }: Props) {
  const { t } = useTranslation()
  const language = useLanguage()
  const forget = useForgetSources()
  const [name, setName] = useState(known?.name ?? '')
  const [code, setCode] = useState(known?.kind ?? 'sql')
  const [settings, setSettings] = useState<Settings>((known?.settings as Settings | undefined) ?? {})
  const [secret, setSecret] = useState<Record<string, string>>({})
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const kind = kinds.find((one) => one.code === code)!
  const place = failure instanceof ApiError ? failure.place : undefined
  const given = Object.fromEntries(Object.entries(secret).filter(([, value]) => value))
  const save = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      if (known) await changeConnection(known.id, { name, settings, secret: Object.keys(given).length ? given : null })
      else await createConnection({ name, kind: code, settings, secret: given })
      toast.good(t('area.sources.saved'))
      await forget()
      onClose()
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  const atField = place?.startsWith('settings.')
  const problems = atField
    ? [{ code: (failure as ApiError).code, message: errorText(failure), place: place!.slice('settings.'.length) }]
    : []
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={560}
      title={<b>{known?.name ?? t('area.sources.newConnection')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        {failure !== undefined && !atField && (
          <Alert color="red" variant="light" role="alert">
            {errorText(failure)}
          </Alert>
        )}
        <TextInput
          label={t('area.sources.name')}
          data-autofocus
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {!known && (
          <Select
            label={t('area.sources.kind')}
            allowDeselect={false}
            data={kinds.map((one) => ({ value: one.code, label: one.title[language] ?? one.code }))}
            value={code}
            onChange={(next) => {
              if (!next) return
              setCode(next)
              setSettings({})
              setSecret({})
            }}
          />
        )}
        <SchemaForm
          key={code}
          schema={kind.settings}
          value={settings}
          problems={problems as never}
          context={{ database: 0, steps: [], nodeType: '', disabled: false }}
          onChange={setSettings}
        />
        {known?.has_secret && (
          <Text size="sm" c="var(--ink2)">
            {t('area.sources.secretKept')}
          </Text>
        )}
        {Object.entries(kind.secret.properties ?? {}).map(([field, { title }]) => {
          const common = { label: settingText(title ?? field), value: secret[field] ?? '', autoComplete: 'off' }
          return field === 'private_key' ? (
            <Textarea
              key={field}
              {...common}
              autosize
              minRows={3}
              onChange={(event) => setSecret({ ...secret, [field]: event.currentTarget.value })}
            />
          ) : (
            <PasswordInput
              key={field}
              {...common}
              autoComplete="new-password"
              onChange={(event) => setSecret({ ...secret, [field]: event.currentTarget.value })}
            />
          )
        })}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button loading={busy} disabled={!name.trim()} onClick={save}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </Drawer>
  )
}
