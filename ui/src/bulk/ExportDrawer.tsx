import { Alert, Button, Drawer, Group, MultiSelect, Select, Stack, Switch, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { startExport, type Audience, type ExportOrder } from '../api/bulk'
import { errorText } from '../api/errorText'
import { useDatabases, useNamed } from '../api/lookups'
import { toast } from '../components/toasts'
import { useFieldsOf } from '../forms/ReferenceField'
import { AudienceForm } from './AudienceForm'
import { startAudience, type AudienceSearch } from './audienceSearch'

type Props = { start: AudienceSearch; onClose: () => void; onStarted: () => void }

const FORMATS = ['csv', 'xlsx', 'parquet', 'json'] as const
const DELIMITERS = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' }

/** Asks what is to be exported, and begins. */
export function ExportDrawer({ start, onClose, onStarted }: Props) {
  const { t } = useTranslation()
  const first = useDatabases().data?.[0]?.id
  const [given, setGiven] = useState<Audience | undefined>(startAudience(start))
  const audience = given ?? (first === undefined ? undefined : { database_id: first })
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={620}
      title={<b>{t('area.bulk.newExport')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      {audience && (
        <ExportForm
          key={audience.database_id}
          audience={audience}
          onAudience={setGiven}
          onClose={onClose}
          onStarted={onStarted}
        />
      )}
    </Drawer>
  )
}

type FormProps = {
  audience: Audience
  onAudience: (audience: Audience) => void
  onClose: () => void
  onStarted: () => void
}

function ExportForm({ audience, onAudience, onClose, onStarted }: FormProps) {
  const { t } = useTranslation()
  const fields = useFieldsOf(audience.database_id)
  const resources = useNamed('resource')
  const [order, setOrder] = useState<Omit<ExportOrder, 'audience'>>({
    format: 'csv',
    name: t('area.bulk.exports').toLowerCase(),
    delimiter: ',',
    safe: true,
    subscriptions: [],
  })
  const put = (part: Partial<ExportOrder>) => setOrder({ ...order, ...part })
  const begin = useMutation({
    mutationFn: () => startExport({ ...order, audience }),
    onSuccess: () => {
      toast.good(t('area.bulk.started'))
      onStarted()
      onClose()
    },
  })
  const contacts = resources.items.flatMap((resource) =>
    (resource.channels ?? []).map((channel) => ({
      value: `${resource.id}:${channel}`,
      label: `${resource.name}: ${t(`channel.${channel}`)}`,
    })),
  )
  return (
    <Stack gap="md">
      {begin.isError && (
        <Alert color="red" variant="light" role="alert">
          {errorText(begin.error)}
        </Alert>
      )}
      <TextInput
        label={t('area.bulk.name')}
        maxLength={100}
        value={order.name}
        onChange={(event) => put({ name: event.currentTarget.value })}
      />
      <AudienceForm audience={audience} onChange={onAudience} />
      <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 14 }}>
        <Select
          label={t('area.bulk.format')}
          allowDeselect={false}
          data={FORMATS.map((format) => ({ value: format, label: t(`area.bulk.formats.${format}`) }))}
          value={order.format}
          onChange={(format) => put({ format: format as ExportOrder['format'] })}
        />
        {order.format === 'csv' && (
          <Select
            label={t('area.bulk.delimiter')}
            allowDeselect={false}
            data={Object.entries(DELIMITERS).map(([word, sign]) => ({
              value: sign,
              label: t(`area.bulk.delimiters.${word}`),
            }))}
            value={order.delimiter}
            onChange={(delimiter) => put({ delimiter: delimiter ?? ',' })}
          />
        )}
      </div>
      {order.format === 'csv' && (
        <Switch
          label={t('area.bulk.safe')}
          description={t('area.bulk.safeHint')}
          checked={order.safe}
          onChange={(event) => put({ safe: event.currentTarget.checked })}
        />
      )}
      <MultiSelect
        label={t('area.bulk.fields')}
        placeholder={order.fields?.length ? undefined : t('area.bulk.allFields')}
        searchable
        clearable
        data={fields.map(({ name, title }) => ({ value: name, label: title }))}
        value={order.fields ?? []}
        onChange={(names) => put({ fields: names.length ? names : undefined })}
      />
      <MultiSelect
        label={t('area.bulk.subscriptions')}
        description={t('area.bulk.subscriptionsHint')}
        searchable
        clearable
        maxValues={20}
        data={contacts}
        value={order.subscriptions!.map(({ resource_id, channel }) => `${resource_id}:${channel}`)}
        onChange={(chosen) =>
          put({
            subscriptions: chosen.map((text) => {
              const [resource, channel] = text.split(':')
              return { resource_id: Number(resource), channel: channel! }
            }),
          })
        }
      />
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button loading={begin.isPending} onClick={() => begin.mutate()}>
          {t('area.bulk.start')}
        </Button>
      </Group>
    </Stack>
  )
}
