import { Alert, Button, MultiSelect, Stack, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '../api/client'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import { changeResource, CHANNELS, useForgetResources, type FullResource } from '../api/resources'
import { toast } from '../components/toasts'

/** Name, channels, databases, sender and consent text of a resource. */
export function ResourceForm({ resource }: { resource: FullResource }) {
  const { t } = useTranslation()
  const forget = useForgetResources()
  const databases = useDatabases()
  const [given, setGiven] = useState({
    name: resource.name,
    description: resource.description,
    channels: resource.channels,
    database_ids: resource.database_ids,
    url: resource.url ?? '',
    from_name: resource.from_name ?? '',
    from_email: resource.from_email ?? '',
    reply_to: resource.reply_to ?? '',
    consent: resource.consent,
  })
  const put = (part: Partial<typeof given>) => setGiven({ ...given, ...part })
  const save = useMutation({
    mutationFn: () => changeResource(resource.id, given),
    onSuccess: async () => {
      toast.good(t('area.resources.saved'))
      await forget()
    },
  })
  const place = save.error instanceof ApiError ? save.error.place : undefined
  const wrong = (name: string) => (place === name ? errorText(save.error) : undefined)
  const line = (name: 'name' | 'url' | 'from_name' | 'from_email' | 'reply_to', word: string) => (
    <TextInput
      label={t(`area.resources.${word}`)}
      maxLength={name === 'url' ? 2_000 : 200}
      value={given[name]}
      error={wrong(name)}
      onChange={(event) => put({ [name]: event.currentTarget.value })}
    />
  )
  return (
    <Stack gap="md" className="panel padded" style={{ maxWidth: 760 }}>
      {save.isError && !(place && place in given) && (
        <Alert color="red" variant="light" role="alert">
          {errorText(save.error)}
        </Alert>
      )}
      {line('name', 'name')}
      <Textarea
        label={t('area.resources.description')}
        autosize
        minRows={2}
        maxLength={10_000}
        value={given.description}
        onChange={(event) => put({ description: event.currentTarget.value })}
      />
      <MultiSelect
        label={t('area.resources.channels')}
        data={CHANNELS.map((word) => ({ value: word, label: t(`channel.${word}`) }))}
        value={given.channels}
        error={wrong('channels')}
        onChange={(channels) => put({ channels })}
      />
      <MultiSelect
        label={t('area.resources.databases')}
        description={t('area.resources.databasesHint')}
        data={databases.data?.map(({ id, name }) => ({ value: String(id), label: name })) ?? []}
        value={given.database_ids.map(String)}
        error={wrong('database_ids')}
        onChange={(ids) => put({ database_ids: ids.map(Number) })}
      />
      {line('url', 'url')}
      {line('from_name', 'fromName')}
      {line('from_email', 'fromEmail')}
      {line('reply_to', 'replyTo')}
      <Textarea
        label={t('area.resources.consent')}
        description={t('area.resources.consentHint')}
        autosize
        minRows={3}
        maxLength={10_000}
        value={given.consent}
        error={wrong('consent')}
        onChange={(event) => put({ consent: event.currentTarget.value })}
      />
      <Button
        style={{ alignSelf: 'flex-start' }}
        loading={save.isPending}
        disabled={!given.name.trim() || given.channels.length === 0}
        onClick={() => save.mutate()}
      >
        {t('save')}
      </Button>
    </Stack>
  )
}
