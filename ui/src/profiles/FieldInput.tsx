import { JsonInput, NumberInput, Select, TagsInput, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { ProfileField } from '../api/databases'
import { useChoices } from '../forms/ValueInput'
import { settingText } from '../i18n'

type Props = { field: ProfileField; value: unknown; error: string | undefined; onChange: (value: unknown) => void }

const two = (number: number) => String(number).padStart(2, '0')

/** A moment as the input for local date and time wants it. */
function local(value: unknown): string {
  const at = new Date(String(value))
  if (!value || Number.isNaN(at.getTime())) return ''
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}`
}

/** An input for a field of a profile; `null` is an empty field. */
export function FieldInput({ field, value, error, onChange }: Props) {
  const { t } = useTranslation()
  const choices = useChoices(field)
  const common = {
    label: settingText(field.title),
    description: field.description || undefined,
    required: field.required,
    error,
  }
  switch (field.type) {
    case 'integer':
    case 'float':
      return (
        <NumberInput
          {...common}
          hideControls
          allowDecimal={field.type === 'float'}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(next === '' ? null : next)}
        />
      )
    case 'boolean':
      return (
        <Select
          {...common}
          clearable
          data={[
            { value: 'true', label: t('form.yes') },
            { value: 'false', label: t('form.no') },
          ]}
          value={typeof value === 'boolean' ? String(value) : null}
          onChange={(next) => onChange(next === null ? null : next === 'true')}
        />
      )
    case 'enum':
    case 'sex':
    case 'status':
      return (
        <Select
          {...common}
          clearable
          searchable={(choices?.length ?? 0) > 8}
          data={choices ?? []}
          value={(value as string) ?? null}
          onChange={onChange}
        />
      )
    case 'tags':
    case 'phones':
      return (
        <TagsInput
          {...common}
          value={Array.isArray(value) ? value.map(String) : []}
          onChange={(next) => onChange(next.length ? next : null)}
        />
      )
    case 'object':
    case 'objects':
      return (
        <JsonInput
          {...common}
          autosize
          minRows={2}
          maxRows={10}
          formatOnBlur
          value={typeof value === 'string' ? value : value == null ? '' : JSON.stringify(value, null, 2)}
          onChange={(text) => onChange(text || null)}
        />
      )
    case 'date':
      if (field.name === '_bdate')
        return (
          <TextInput
            {...common}
            type="date"
            value={typeof value === 'string' ? value.slice(0, 10) : ''}
            onChange={(event) => onChange(event.currentTarget.value || null)}
          />
        )
      return (
        <TextInput
          {...common}
          type="datetime-local"
          value={local(value)}
          onChange={({ currentTarget: { value: text } }) => onChange(text ? new Date(text).toISOString() : null)}
        />
      )
    default:
      return (
        <TextInput
          {...common}
          maxLength={10_000}
          value={value == null ? '' : String(value)}
          onChange={(event) => onChange(event.currentTarget.value || null)}
        />
      )
  }
}
