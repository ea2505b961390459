/** Draws a node's settings from their JSON Schema; `x-widget` picks a field, otherwise the type does. */
import { Stack } from '@mantine/core'
import type { Problem } from '../api/client'
import { problemText } from '../api/errorText'
import type { JsonSchema, Settings } from '../api/scenarios'
import { settingText } from '../i18n'
import { AwaitedField } from './AwaitedField'
import { BranchesField } from './BranchesField'
import { CategoryField } from './CategoryField'
import { ChangesField } from './ChangesField'
import { DurationField } from './DurationField'
import { ChoiceField, CodeField, NumberField, PairsField, SegmentedField, SwitchField, TextField } from './plainFields'
import { ReferenceField } from './ReferenceField'
import { RulesField } from './rules/RulesField'
import { ClockField, MomentField, ProfileFieldField, WeekdaysField } from './timeFields'

export type FormContext = {
  /** The scenario's profile database, whose fields rules and changes name. */
  database: number | string
  steps: { id: number; title: string }[]
  /** The node's type, which is also its channel's word for channel nodes. */
  nodeType: string
  disabled: boolean
}

export type FieldProps = {
  name: string
  schema: JsonSchema
  label: string
  hint: string | undefined
  required: boolean
  value: unknown
  error: string | undefined
  context: FormContext
  /** All settings of the step. */
  settings?: Settings
  onChange: (value: unknown) => void
}

type Props = {
  schema: JsonSchema
  value: Settings
  problems: Problem[]
  context: FormContext
  onChange: (value: Settings) => void
}

export function SchemaForm({ schema, value, problems, context, onChange }: Props) {
  const all = schema.properties ?? {}
  const fields = Object.entries(all).filter(([, field]) => isShown(field, value, all))
  return (
    <Stack gap="md">
      {fields.map(([name, raw]) => {
        const field = resolved(raw, schema)
        const problem = problems.find(({ place }) => place === name || place?.startsWith(`${name}.`))
        const Field = fieldFor(field)
        return (
          <Field
            key={name}
            name={name}
            schema={field}
            label={settingText(field.title ?? name)}
            hint={field.description && settingText(field.description)}
            required={schema.required?.includes(name) ?? false}
            value={value[name] ?? field.default}
            error={problem && problemText(problem)}
            context={context}
            settings={value}
            onChange={(next) => onChange(withValue(value, name, next))}
          />
        )
      })}
    </Stack>
  )
}

/** `x-show-if: {"other": value}` shows a field only while another setting has that value, or one of several. */
const isShown = (field: JsonSchema, value: Settings, all: Record<string, JsonSchema>) =>
  Object.entries(field['x-show-if'] ?? {}).every(([name, wanted]) => {
    const found = value[name] ?? all[name]?.default
    return Array.isArray(wanted) ? wanted.includes(found) : found === wanted
  })

function withValue(settings: Settings, name: string, value: unknown): Settings {
  const rest = { ...settings }
  if (value === undefined || value === null || value === '') delete rest[name]
  else rest[name] = value
  return rest
}

/** A schema without `$ref`, and without the “or null” of optional settings. */
function resolved(field: JsonSchema, root: JsonSchema): JsonSchema {
  const { anyOf, allOf, $ref, ...own } = field
  const target = $ref ? root.$defs?.[$ref.split('/').at(-1)!] : undefined
  const choices = (anyOf ?? allOf ?? []).filter((choice) => choice.type !== 'null')
  const first = choices.find((choice) => choice['x-widget']) ?? choices[0]
  return { ...target, ...(first && resolved(first, root)), ...own }
}

function fieldFor(field: JsonSchema) {
  if (field['x-source']) return ReferenceField
  switch (field['x-widget']) {
    case 'category':
      return CategoryField
    case 'rules':
      return RulesField
    case 'changes':
      return ChangesField
    case 'duration':
      return DurationField
    case 'awaited':
      return AwaitedField
    case 'branches':
      return BranchesField
    case 'weekdays':
      return WeekdaysField
    case 'clock':
      return ClockField
    case 'moment':
      return MomentField
    case 'date_field':
    case 'profile_field':
      return ProfileFieldField
    case 'segmented':
      return SegmentedField
    case 'code':
    case 'textarea':
      return CodeField
  }
  if (field.enum) return ChoiceField
  if (field.type === 'boolean') return SwitchField
  if (field.type === 'number' || field.type === 'integer') return NumberField
  if (field.type === 'object') return PairsField
  return TextField
}
