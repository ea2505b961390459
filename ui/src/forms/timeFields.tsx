import { Chip, Group, Input, TextInput } from '@mantine/core'
import { useLanguage } from '../i18n'
import { ChoiceOf, useFieldsOf } from './ReferenceField'
import type { FieldProps } from './SchemaForm'

const DAYS = [1, 2, 3, 4, 5, 6, 7]

/** The short name of a day of the week; Monday is 1, as the fifth of January 1970 was. */
const dayName = (language: string, day: number) =>
  new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' }).format(Date.UTC(1970, 0, 4 + day))

/** Days of the week, as chips. */
export function WeekdaysField({ label, hint, error, value, context, onChange }: FieldProps) {
  const language = useLanguage()
  const days = (value ?? DAYS) as number[]
  return (
    <Input.Wrapper label={label} description={hint} error={error} labelElement="div">
      <Chip.Group multiple value={days.map(String)} onChange={(chosen) => onChange(chosen.map(Number).sort())}>
        <Group gap={4} mt={6} role="group" aria-label={label}>
          {DAYS.map((day) => (
            <Chip key={day} size="xs" value={String(day)} disabled={context.disabled}>
              {dayName(language, day)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </Input.Wrapper>
  )
}

/** A time of day, by the browser's own control. */
export const ClockField = (field: FieldProps) => <TimeField {...field} type="time" />
/** A day and a time of day. */
export const MomentField = (field: FieldProps) => <TimeField {...field} type="datetime-local" />

function TimeField({ label, hint, required, error, value, context, onChange, type }: FieldProps & { type: string }) {
  return (
    <TextInput
      label={label}
      description={hint}
      required={required}
      error={error}
      disabled={context.disabled}
      type={type}
      styles={{ wrapper: { maxWidth: type === 'time' ? 140 : 220 } }}
      value={typeof value === 'string' ? value.replace(' ', 'T') : ''}
      onChange={(event) => onChange(event.currentTarget.value.replace('T', ' ') || undefined)}
    />
  )
}

/** A field of the scenario's database by its name; only dates, if the setting asks for one. */
export function ProfileFieldField(field: FieldProps) {
  const dates = field.schema['x-widget'] === 'date_field'
  const fields = useFieldsOf(field.context.database).filter(({ type }) => !dates || type === 'date')
  return (
    <ChoiceOf
      {...field}
      data={fields.map(({ name, title }) => ({ value: name, label: title }))}
      selected={field.value as string | undefined}
      isPending={false}
    />
  )
}
