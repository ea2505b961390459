import { Select, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { RuleTypes } from '../../api/rules'
import { settingText } from '../../i18n'
import { useFieldsOf } from '../ReferenceField'
import type { FormContext } from '../SchemaForm'
import { OperatorSelect } from './OperatorSelect'
import { OperatorValue } from './OperatorValue'
import { operatorsFor, shapeOf } from './settings'
import type { Rule } from './tree'

type Props = { types: RuleTypes; rule: Rule; context: FormContext; onChange: (rule: Rule) => void }

/** Field, comparison and value: the comparisons follow from the type of the field, the value from the comparison. */
export function FieldParts({ types, rule, context, onChange }: Props) {
  const { t } = useTranslation()
  const fields = useFieldsOf(context.database)
  const { disabled } = context
  const own = fields.find(({ name }) => name === rule.field)
  const system = types.system_fields.find(({ name }) => name === rule.field)
  const isObject = own?.type === 'object' || own?.type === 'objects'
  const inside = isObject && !!rule.path
  const type = inside ? ((rule.path_type as string) ?? 'line') : (own?.type ?? system?.type)
  const field = own && !inside ? own : type ? { type, options: null } : undefined
  const operator = rule.operator as string | undefined
  const first = (fieldType: string | undefined) => operatorsFor(types, fieldType)[0]
  const choose = (name: string | null) => {
    const found = [...fields, ...types.system_fields].find((one) => one.name === name)
    onChange({ rule: rule.rule, field: name ?? undefined, operator: first(found?.type) })
  }
  return (
    <>
      <Select
        size="xs"
        aria-label={t('rules.field')}
        placeholder={t('rules.field')}
        searchable
        allowDeselect={false}
        disabled={disabled}
        nothingFoundMessage={t('form.nothing')}
        data={[
          {
            group: t('area.rules.fields'),
            items: fields.map(({ name, title }) => ({ value: name, label: settingText(title) })),
          },
          {
            group: t('area.rules.system'),
            items: types.system_fields.map(({ name, title }) => ({ value: name, label: title })),
          },
        ]}
        value={(rule.field as string) ?? null}
        onChange={choose}
      />
      {isObject && (
        <TextInput
          size="xs"
          aria-label={t('area.rules.path')}
          placeholder={t('area.rules.path')}
          disabled={disabled}
          value={(rule.path as string) ?? ''}
          onChange={(event) => {
            const path = event.currentTarget.value
            const kept = inside ? rule : { rule: rule.rule, field: rule.field, operator: first('line') }
            onChange(path ? { ...kept, path } : { rule: rule.rule, field: rule.field, operator: first(own.type) })
          }}
        />
      )}
      {inside && (
        <Select
          size="xs"
          aria-label={t('area.rules.readAs')}
          allowDeselect={false}
          disabled={disabled}
          data={types.json_types.map(({ code, title }) => ({ value: code, label: title }))}
          value={(rule.path_type as string) ?? 'line'}
          onChange={(word) =>
            onChange({
              rule: rule.rule,
              field: rule.field,
              path: rule.path,
              path_type: word,
              operator: first(word ?? 'line'),
            })
          }
        />
      )}
      <OperatorSelect
        types={types}
        fieldType={type}
        operator={operator}
        value={rule.value}
        disabled={disabled}
        onChange={(code, value) => {
          const next: Rule = { ...rule, operator: code, value }
          if (value === undefined) delete next.value
          onChange(next)
        }}
      />
      <OperatorValue
        types={types}
        shape={shapeOf(types, operator)}
        field={field}
        value={rule.value}
        disabled={disabled}
        onChange={(value) => onChange({ ...rule, value })}
      />
    </>
  )
}
