import { Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useDatabases, useNamed } from '../api/lookups'
import type { FieldProps } from './SchemaForm'

/** Chooses a thing by its name. A document may name it by id or by name; what is chosen here is kept by name, which survives a move to another installation. */
export function ReferenceField(field: FieldProps) {
  const source = field.schema['x-source']!
  return source === 'field' ? <FieldChoice {...field} /> : <NamedChoice {...field} source={source} />
}

function NamedChoice({ source, ...field }: FieldProps & { source: string }) {
  const { items, isPending } = useNamed(source, source === 'template' ? field.context.nodeType : undefined)
  const names = items.map((item) => item.name)
  const value = field.value as string | number | undefined
  const called = ({ id, name, short_name }: (typeof items)[number]) => [id, name, short_name].includes(value)
  const current = value === undefined ? undefined : items.find(called)
  return (
    <ChoiceOf
      {...field}
      data={names}
      selected={current?.name ?? (value === undefined ? undefined : String(value))}
      isPending={isPending}
    />
  )
}

function FieldChoice(field: FieldProps) {
  const fields = useFieldsOf(field.context.database)
  return (
    <ChoiceOf
      {...field}
      data={fields.map(({ name, title }) => ({ value: name, label: title }))}
      selected={field.value as string}
      isPending={false}
    />
  )
}

type ChoiceProps = FieldProps & {
  data: (string | { value: string; label: string })[]
  selected: string | undefined
  isPending: boolean
}

/** One of the choices; one that is gone stays, so that it is seen. */
export function ChoiceOf({ label, hint, required, error, context, onChange, data, selected, isPending }: ChoiceProps) {
  const { t } = useTranslation()
  const known = data.some((choice) => (typeof choice === 'string' ? choice : choice.value) === selected)
  const shown = selected !== undefined && selected !== null ? String(selected) : null
  return (
    <Select
      label={label}
      description={hint}
      required={required}
      error={error}
      disabled={context.disabled}
      searchable
      clearable={!required}
      allowDeselect={false}
      placeholder={isPending ? t('loading') : t('form.choose')}
      nothingFoundMessage={t('form.nothing')}
      data={known || shown === null ? data : [...data, shown]}
      value={shown}
      onChange={(value) => onChange(value ?? undefined)}
    />
  )
}

/** The fields of a profile database, given by id or name. */
export function useFieldsOf(database: number | string) {
  const { data } = useDatabases()
  return data?.find((found) => found.id === database || found.name === database)?.fields ?? []
}
