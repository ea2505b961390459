import { Select, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { RuleTypes } from '../../api/rules'
import { useFieldsOf } from '../ReferenceField'
import type { FormContext } from '../SchemaForm'
import { OperatorValue } from './OperatorValue'
import { carriedValue, operatorsFor, shapeOf } from './settings'
import type { Rule } from './tree'

type Props = { types: RuleTypes; rule: Rule; context: FormContext; onChange: (rule: Rule) => void }

const PATH_TYPES = ['line', 'float', 'boolean', 'date']

/** Field, comparison and value: the comparisons follow from the type of the field, the value from the comparison. */
export function FieldParts({ types, rule, context, onChange }: Props) {
  const { t } = useTranslation()
  const fields = useFieldsOf(context.database)
  const { disabled } = context
  const own = fields.find(({ name }) => name === rule.field)
  const system = types.system_fields.find(({ name }) => name === rule.field)
  const isObject = own?.type === 'object' || own?.type === 'objects'
  const type = isObject && rule.path ? ((rule.path_type as string) ?? 'line') : (own?.type ?? system?.type)
  const field = own && !(isObject && rule.path) ? own : type ? { type, options: null } : undefined
  const operator = rule.operator as string
  const offered = operatorsFor(types, type)
  const codes = offered.includes(operator) || !operator ? offered : [...offered, operator]
  const shape = shapeOf(types, operator)
  const choose = (name: string | null) => {
    const next =
      fields.find((found) => found.name === name)?.type ??
      types.system_fields.find((found) => found.name === name)?.type
    onChange({ rule: 'field', field: name ?? undefined, operator: operatorsFor(types, next)[0] })
  }
  return (
    <>
      <Select
        size="xs"
        aria-label={t('rules.field')}
        placeholder={t('rules.field')}
        searchable
        disabled={disabled}
        data={[
          { group: t('area.rules.fields'), items: fields.map(({ name, title }) => ({ value: name, label: title })) },
          {
            group: t('area.rules.system'),
            items: types.system_fields.map(({ name, title }) => ({ value: name, label: title })),
          },
        ]}
        value={(rule.field as string) ?? null}
        onChange={choose}
      />
      {isObject && (
        <>
          <TextInput
            size="xs"
            aria-label={t('area.rules.path')}
            placeholder={t('area.rules.path')}
            disabled={disabled}
            value={(rule.path as string) ?? ''}
            onChange={(event) => {
              const path = event.currentTarget.value || undefined
              onChange(path ? { ...rule, path } : { rule: 'field', field: rule.field, operator: 'set' })
            }}
          />
          {!!rule.path && (
            <Select
              size="xs"
              aria-label={t('area.rules.readAs')}
              allowDeselect={false}
              disabled={disabled}
              data={PATH_TYPES.map((word) => ({ value: word, label: t(`area.rules.pathTypes.${word}`) }))}
              value={(rule.path_type as string) ?? 'line'}
              onChange={(word) =>
                onChange({ rule: 'field', field: rule.field, path: rule.path, path_type: word, operator: 'eq' })
              }
            />
          )}
        </>
      )}
      <Select
        size="xs"
        aria-label={t('rules.operator')}
        allowDeselect={false}
        searchable
        disabled={disabled}
        maxDropdownHeight={340}
        data={codes.map((code) => ({
          value: code,
          label: types.operators.find((found) => found.code === code)?.title ?? code,
        }))}
        value={operator ?? null}
        onChange={(code) => {
          const value = carriedValue(rule.value, shape, shapeOf(types, code ?? undefined))
          const next: Rule = { ...rule, operator: code, value }
          if (value === undefined) delete next.value
          onChange(next)
        }}
      />
      <OperatorValue
        shape={shape}
        field={field}
        groups={types.domain_groups}
        value={rule.value}
        disabled={disabled}
        onChange={(value) => onChange({ ...rule, value })}
      />
    </>
  )
}
