import { Group, Input, NumberInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { formatDuration, parseDuration, UNITS, type Parts } from '../format/durations'
import type { FieldProps } from './SchemaForm'

const NOTHING: Parts = { d: 0, h: 0, m: 0, s: 0 }

export function DurationField({ label, hint, required, error, value, context, onChange }: FieldProps) {
  return (
    <Input.Wrapper label={label} description={hint} required={required} error={error} labelElement="div">
      <DurationInput label={label} value={value} disabled={context.disabled} onChange={onChange} />
    </Input.Wrapper>
  )
}

type Props = { label: string; value: unknown; disabled?: boolean; onChange: (value: string | undefined) => void }

export function DurationInput({ label, value, disabled, onChange }: Props) {
  const { t } = useTranslation()
  const parts = (typeof value === 'string' && parseDuration(value)) || NOTHING
  return (
    <Group gap={8} mt={6} wrap="nowrap" role="group" aria-label={label}>
      {UNITS.map((unit) => (
        <NumberInput
          key={unit}
          aria-label={t(`form.unit.${unit}`)}
          min={0}
          max={9999}
          allowDecimal={false}
          disabled={disabled}
          value={parts[unit] || ''}
          placeholder="0"
          suffix={` ${t(`form.unit.${unit}`)}`}
          hideControls
          flex={1}
          onChange={(amount) => onChange(formatDuration({ ...parts, [unit]: Number(amount) || 0 }) || undefined)}
        />
      ))}
    </Group>
  )
}
