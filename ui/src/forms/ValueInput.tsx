import { NumberInput, Select, TagsInput, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Field } from '../api/lookups'

/** What an input must know of a field. */
export type ValueField = Pick<Field, 'type' | 'options'>

type Props = {
  field: ValueField | undefined
  value: unknown
  many?: boolean
  disabled?: boolean
  onChange: (value: unknown) => void
}

/** A value that fits a profile field. */
export function ValueInput({ field, value, many, disabled, onChange }: Props) {
  const { t } = useTranslation()
  const choices = useChoices(field)
  const common = { size: 'xs', 'aria-label': t('rules.value'), placeholder: t('rules.value'), disabled } as const
  if (many || field?.type === 'tags')
    return <TagsInput {...common} value={asList(value)} onChange={onChange} data={field?.options ?? []} />
  switch (field?.type) {
    case 'integer':
    case 'float':
      return (
        <NumberInput
          {...common}
          hideControls
          allowDecimal={field.type === 'float'}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(next === '' ? undefined : next)}
        />
      )
    case 'boolean':
      return (
        <Select
          {...common}
          data={[
            { value: 'true', label: t('form.yes') },
            { value: 'false', label: t('form.no') },
          ]}
          value={typeof value === 'boolean' ? String(value) : null}
          onChange={(next) => onChange(next === null ? undefined : next === 'true')}
        />
      )
    case 'enum':
    case 'sex':
    case 'status':
      return (
        <Select
          {...common}
          searchable={(choices?.length ?? 0) > 8}
          data={choices ?? []}
          value={(value as string) ?? null}
          onChange={(next) => onChange(next ?? undefined)}
        />
      )
    default:
      return (
        <TextInput
          {...common}
          type={field?.type === 'date' ? 'date' : 'text'}
          value={value === undefined || value === null ? '' : String(value)}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
        />
      )
  }
}

const STATUSES = ['subscribed', 'unsubscribed', 'complained', 'hardbounced', 'unconfirmed', 'suspended', 'invalid']

/** The values of a field that has a fixed choice. */
export function useChoices(field: ValueField | undefined): { value: string; label: string }[] | undefined {
  const { t } = useTranslation()
  if (field?.type === 'sex') return ['male', 'female'].map((word) => ({ value: word, label: t(`form.sexes.${word}`) }))
  if (field?.type === 'status') return STATUSES.map((word) => ({ value: word, label: t(`subscription.${word}`) }))
  return field?.options?.map((option) => ({ value: option, label: option }))
}

const asList = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : value === undefined || value === null ? [] : [String(value)]
