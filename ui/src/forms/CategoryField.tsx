import { Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useNamed } from '../api/lookups'
import { useResource } from '../api/resources'
import type { FieldProps } from './SchemaForm'

/** One of the categories of the resource that the same step names. */
export function CategoryField({ label, hint, error, context, value, settings, onChange }: FieldProps) {
  const { t } = useTranslation()
  const resources = useNamed('resource')
  const named = settings?.resource
  const id = resources.items.find((one) => one.id === named || one.name === named)?.id
  const resource = useResource(id)
  const categories = resource.data?.categories ?? []
  if (categories.length === 0 && value === undefined) return null
  const data = categories.map((one) => ({ value: one.name, label: one.title }))
  const chosen = value === undefined || value === null ? null : String(value)
  return (
    <Select
      label={label}
      description={hint}
      error={error}
      disabled={context.disabled}
      clearable
      placeholder={t('area.resources.everything')}
      data={chosen && !data.some((one) => one.value === chosen) ? [...data, { value: chosen, label: chosen }] : data}
      value={chosen}
      onChange={(word) => onChange(word ?? undefined)}
    />
  )
}
