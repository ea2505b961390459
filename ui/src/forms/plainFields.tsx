import {
  ActionIcon,
  Button,
  Input,
  NumberInput,
  SegmentedControl,
  Select,
  Switch,
  Textarea,
  TextInput,
} from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FieldProps } from './SchemaForm'

const common = ({ label, hint, required, error, context }: FieldProps) => ({
  label,
  description: hint,
  required,
  error,
  disabled: context.disabled,
})

/** The values of a fixed choice with their words. */
const words = (schema: FieldProps['schema']) =>
  schema.enum!.map((value) => ({ value: String(value), label: schema['x-words']?.[String(value)] ?? String(value) }))

const asText = (value: unknown) => (value === undefined || value === null ? '' : String(value))

export const TextField = (field: FieldProps) => (
  <TextInput
    {...common(field)}
    value={asText(field.value)}
    maxLength={field.schema.maxLength}
    onChange={(event) => field.onChange(event.currentTarget.value)}
  />
)

export function CodeField(field: FieldProps) {
  const { t } = useTranslation()
  return (
    <Textarea
      {...common(field)}
      description={field.hint ?? t('form.liquidHint', { sample: '{{ profile.first_name }}' })}
      autosize
      minRows={4}
      maxRows={18}
      value={asText(field.value)}
      maxLength={field.schema.maxLength}
      styles={{ input: { fontFamily: 'ui-monospace, SFMono-Regular, Menlo, monospace', fontSize: 12.5 } }}
      onChange={(event) => field.onChange(event.currentTarget.value)}
    />
  )
}

export const NumberField = (field: FieldProps) => (
  <NumberInput
    {...common(field)}
    value={typeof field.value === 'number' ? field.value : ''}
    min={field.schema.minimum ?? field.schema.exclusiveMinimum}
    max={field.schema.maximum}
    allowDecimal={field.schema.type === 'number'}
    styles={{ wrapper: { maxWidth: 180 } }}
    onChange={(value) => field.onChange(value === '' ? undefined : value)}
  />
)

export const SwitchField = (field: FieldProps) => (
  <Switch
    label={field.label}
    description={field.hint}
    error={field.error}
    disabled={field.context.disabled}
    checked={field.value === true}
    onChange={(event) => field.onChange(event.currentTarget.checked)}
  />
)

export const ChoiceField = (field: FieldProps) => (
  <Select
    {...common(field)}
    data={words(field.schema)}
    value={asText(field.value) || null}
    clearable={!field.required && field.schema.default === undefined}
    allowDeselect={false}
    onChange={field.onChange}
  />
)

export const SegmentedField = (field: FieldProps) => (
  <Input.Wrapper {...common(field)} labelElement="div">
    <div>
      <SegmentedControl
        mt={4}
        size="xs"
        aria-label={field.label}
        disabled={field.context.disabled}
        data={words(field.schema)}
        value={asText(field.value)}
        onChange={field.onChange}
      />
    </div>
  </Input.Wrapper>
)

/** Names with values. Rows without a name are kept on the screen but not in the settings. */
export function PairsField(field: FieldProps) {
  const { t } = useTranslation()
  const [rows, setRows] = useState(() => Object.entries((field.value ?? {}) as Record<string, string>))
  const change = (next: [string, string][]) => {
    setRows(next)
    field.onChange(Object.fromEntries(next.filter(([key]) => key.trim())))
  }
  const disabled = field.context.disabled
  return (
    <Input.Wrapper {...common(field)} labelElement="div">
      <div style={{ marginTop: 6 }}>
        {rows.map(([key, value], index) => {
          const put = (row: [string, string]) => change(rows.map((old, i) => (i === index ? row : old)))
          return (
            <div className="pairs-row" key={index}>
              <TextInput
                size="xs"
                aria-label={`${field.label}: ${t('form.key')}`}
                placeholder={t('form.key')}
                value={key}
                disabled={disabled}
                onChange={(event) => put([event.currentTarget.value, value])}
              />
              <TextInput
                size="xs"
                aria-label={`${field.label}: ${t('form.value')}`}
                placeholder={t('form.value')}
                value={value}
                disabled={disabled}
                onChange={(event) => put([key, event.currentTarget.value])}
              />
              <ActionIcon
                size="md"
                disabled={disabled}
                aria-label={t('remove')}
                onClick={() => change(rows.filter((_, i) => i !== index))}
              >
                <IconX size={15} />
              </ActionIcon>
            </div>
          )
        })}
        {!disabled && (
          <Button
            size="compact-xs"
            variant="subtle"
            leftSection={<IconPlus size={13} />}
            onClick={() => setRows([...rows, ['', '']])}
          >
            {t('form.addPair')}
          </Button>
        )}
      </div>
    </Input.Wrapper>
  )
}
