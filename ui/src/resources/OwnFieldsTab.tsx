import { ActionIcon, Alert, Button, Checkbox, Group, Select, Stack, TagsInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '../api/client'
import { errorText } from '../api/errorText'
import { setOwnFields, useForgetResources, type FullResource, type SubscriptionField } from '../api/resources'
import { toast } from '../components/toasts'
import { apiName } from '../databases/fieldTypes'

const TYPES = ['line', 'integer', 'float', 'date', 'boolean', 'enum']

/** The own fields of a resource's subscriptions, edited as one list and saved together. */
export function OwnFieldsTab({ resource }: { resource: FullResource }) {
  const { t } = useTranslation()
  const forget = useForgetResources()
  const [rows, setRows] = useState<SubscriptionField[]>(resource.fields)
  const known = resource.fields.length
  const save = useMutation({
    mutationFn: () => setOwnFields(resource.id, rows),
    onSuccess: async () => {
      toast.good(t('area.resources.saved'))
      await forget()
    },
  })
  const place = save.error instanceof ApiError ? save.error.place : undefined
  const put = (at: number, part: Partial<SubscriptionField>) =>
    setRows(rows.map((row, index) => (index === at ? { ...row, ...part } : row)))
  const dirty = JSON.stringify(rows) !== JSON.stringify(resource.fields)
  const isKnown = (row: SubscriptionField) =>
    resource.fields.some((one) => one.channel === row.channel && one.name === row.name)
  return (
    <section className="panel padded">
      <p style={{ marginTop: 0, color: 'var(--ink2)' }}>{t('area.resources.fieldsText')}</p>
      {save.isError && (
        <Alert color="red" variant="light" role="alert" mb="md">
          {errorText(save.error)}
        </Alert>
      )}
      {rows.length === 0 && <p style={{ color: 'var(--ink2)' }}>{t('area.resources.noFields')}</p>}
      <Stack gap="sm">
        {rows.map((row, at) => (
          <Group key={at} align="flex-end" gap={8} wrap="wrap">
            <Select
              label={t('area.resources.channel')}
              allowDeselect={false}
              style={{ flex: '0 1 130px' }}
              disabled={at < known && isKnown(row)}
              data={resource.channels.map((word) => ({ value: word, label: t(`channel.${word}`) }))}
              value={row.channel}
              onChange={(word) => word && put(at, { channel: word })}
            />
            <TextInput
              label={t('area.databases.fieldTitle')}
              maxLength={200}
              style={{ flex: '1 1 160px' }}
              value={row.title}
              error={place === `fields.${at}.title`}
              onChange={({ currentTarget: { value } }) =>
                put(at, {
                  title: value,
                  ...(row.name === apiName(row.title) && !isKnown(row) ? { name: apiName(value) } : {}),
                })
              }
            />
            <TextInput
              label={t('area.databases.apiName')}
              maxLength={63}
              style={{ flex: '1 1 140px' }}
              disabled={at < known && isKnown(row)}
              value={row.name}
              error={place === `fields.${at}.name`}
              onChange={(event) => put(at, { name: event.currentTarget.value })}
            />
            <Select
              label={t('area.resources.type')}
              allowDeselect={false}
              style={{ flex: '0 1 150px' }}
              disabled={at < known && isKnown(row)}
              data={TYPES.map((word) => ({ value: word, label: t(`area.resources.types.${word}`) }))}
              value={row.type}
              error={place === `fields.${at}.type`}
              onChange={(word) => word && put(at, { type: word, options: word === 'enum' ? row.options : [] })}
            />
            {row.type === 'enum' && (
              <TagsInput
                label={t('area.resources.options')}
                style={{ flex: '2 1 200px' }}
                value={row.options}
                error={place === `fields.${at}.options`}
                onChange={(options) => put(at, { options })}
              />
            )}
            <Checkbox
              mb={9}
              label={t('area.resources.required')}
              checked={row.required}
              onChange={(event) => put(at, { required: event.currentTarget.checked })}
            />
            <ActionIcon
              mb={5}
              variant="subtle"
              color="gray"
              aria-label={t('area.resources.remove', { name: row.title })}
              onClick={() => setRows(rows.filter((_, index) => index !== at))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
      </Stack>
      <Group mt="md" gap={8}>
        <Button
          variant="default"
          leftSection={<IconPlus size={15} />}
          onClick={() =>
            setRows([
              ...rows,
              {
                channel: resource.channels[0] ?? 'email',
                name: '',
                title: '',
                type: 'line',
                options: [],
                required: false,
              },
            ])
          }
        >
          {t('area.resources.addField')}
        </Button>
        <Button disabled={!dirty} loading={save.isPending} onClick={() => save.mutate()}>
          {t('save')}
        </Button>
        {dirty && <span style={{ color: 'var(--ink2)' }}>{t('area.resources.unsaved')}</span>}
      </Group>
    </section>
  )
}
