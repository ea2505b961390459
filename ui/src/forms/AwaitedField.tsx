import { ActionIcon, Button, Group, Input, Select, Switch, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useNamed } from '../api/lookups'
import type { FieldProps } from './SchemaForm'

export type Awaited = {
  event: string
  template?: number | string | null
  link?: string | null
  goal?: string | null
  any_message?: boolean
}
const MOST = 5
const WORDS = [
  'opened', 'clicked', 'goal', 'sent', 'delivered', 'confirmed', 'unsubscribed', 'undelivered', 'soft_bounce', 'hard_bounce', 'complained', 'web_version',
] // prettier-ignore

/** Events that are waited for; each is an output of the step. */
export const AwaitedField = ({ label, hint, error, value, context, onChange }: FieldProps) => (
  <AwaitedList
    label={label}
    hint={hint}
    error={error}
    least={1}
    value={(value ?? []) as Awaited[]}
    disabled={context.disabled}
    onChange={onChange}
  />
)

type ListProps = {
  label: string
  hint: string | undefined
  error?: string
  least: number
  value: Awaited[]
  disabled: boolean
  onChange: (events: Awaited[]) => void
}

/** A list of events, at least so many. */
export function AwaitedList({ label, hint, error, least, value: events, disabled, onChange }: ListProps) {
  const { t } = useTranslation()
  const put = (index: number, next: Awaited) => onChange(events.map((old, i) => (i === index ? next : old)))
  return (
    <Input.Wrapper label={label} description={hint} error={error} labelElement="div">
      <div style={{ marginTop: 6 }}>
        {events.map((one, index) => (
          <div key={index} style={{ marginBottom: 8 }} role="group" aria-label={`${label} ${index + 1}`}>
            <Group gap={6} wrap="nowrap" mb={6}>
              <Select
                size="xs"
                flex={1}
                aria-label={`${t('area.steps.event')} ${index + 1}`}
                allowDeselect={false}
                maxDropdownHeight={320}
                disabled={disabled}
                data={WORDS.map((word) => ({ value: word, label: t(`area.steps.events.${word}`) }))}
                value={one.event}
                onChange={(event) => put(index, { event: event ?? 'opened' })}
              />
              <ActionIcon
                aria-label={t('remove')}
                disabled={disabled || events.length <= least}
                onClick={() => onChange(events.filter((_, i) => i !== index))}
              >
                <IconX size={15} />
              </ActionIcon>
            </Group>
            <Details one={one} disabled={disabled} onChange={(next) => put(index, next)} />
          </div>
        ))}
        {!disabled && (
          <Button
            size="compact-xs"
            variant="subtle"
            leftSection={<IconPlus size={13} />}
            disabled={events.length >= MOST}
            onClick={() => onChange([...events, { event: 'clicked' }])}
          >
            {t('area.steps.addEvent')}
          </Button>
        )}
      </div>
    </Input.Wrapper>
  )
}

type DetailsProps = { one: Awaited; disabled: boolean; onChange: (next: Awaited) => void }

function Details({ one, disabled, onChange }: DetailsProps) {
  const { t } = useTranslation()
  const { items } = useNamed('template')
  if (one.event === 'goal')
    return (
      <TextInput
        size="xs"
        mb={8}
        maxLength={100}
        aria-label={t('area.steps.goal')}
        placeholder={t('area.steps.goal')}
        disabled={disabled}
        value={one.goal ?? ''}
        onChange={(event) => onChange({ ...one, goal: event.currentTarget.value || null })}
      />
    )
  const template = items.find(({ id, name }) => id === one.template || name === one.template)?.name
  return (
    <Group gap={6} mb={8}>
      <Select
        size="xs"
        flex={1}
        searchable
        clearable
        aria-label={t('area.steps.template')}
        placeholder={t('area.steps.anyTemplate')}
        disabled={disabled}
        data={[...new Set(items.map(({ name }) => name))]}
        value={template ?? null}
        onChange={(name) => onChange({ ...one, template: name })}
      />
      {one.event === 'clicked' && (
        <TextInput
          size="xs"
          flex={1}
          maxLength={2000}
          aria-label={t('area.steps.link')}
          placeholder={t('area.steps.anyLink')}
          disabled={disabled}
          value={one.link ?? ''}
          onChange={(event) => onChange({ ...one, link: event.currentTarget.value || null })}
        />
      )}
      <Switch
        size="xs"
        label={t('area.steps.anyMessage')}
        disabled={disabled}
        checked={one.any_message ?? false}
        onChange={(event) => onChange({ ...one, any_message: event.currentTarget.checked })}
      />
    </Group>
  )
}
