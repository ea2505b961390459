import { Select, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { RuleTypes } from '../../api/rules'
import { OperatorSelect } from './OperatorSelect'
import { OperatorValue } from './OperatorValue'
import { operatorsFor, shapeOf } from './settings'

type Comparison = { name?: string; type?: string; operator?: string; value?: unknown }
type Props = {
  types: RuleTypes
  title: string
  /** Whether what is compared has a name and a type of its own; else it is of one kind. */
  named: boolean
  kind: 'date' | 'line'
  value: Comparison | undefined
  disabled: boolean
  onChange: (value: Comparison | undefined) => void
}

/** A comparison that is one setting of a rule. */
export function ComparisonInput({ types, title, named, kind, value, disabled, onChange }: Props) {
  const { t } = useTranslation()
  const type = named ? (value?.type ?? 'line') : kind
  const put = (part: Comparison) => {
    const next = { ...value, ...part }
    if (next.value === undefined) delete next.value
    onChange(next.operator === undefined ? undefined : next)
  }
  return (
    <div className="rule-wide" role="group" aria-label={title}>
      <span className="rule-label">{title}</span>
      {named && (
        <TextInput
          size="xs"
          aria-label={`${title}: ${t('area.rules.ownName')}`}
          placeholder={t('area.rules.ownName')}
          disabled={disabled}
          maxLength={100}
          value={value?.name ?? ''}
          onChange={(event) => {
            const name = event.currentTarget.value
            if (name) put({ name, operator: value?.operator ?? operatorsFor(types, type)[0] })
            else onChange(undefined)
          }}
        />
      )}
      {named && value && (
        <Select
          size="xs"
          aria-label={`${title}: ${t('area.rules.readAs')}`}
          allowDeselect={false}
          disabled={disabled}
          data={types.json_types.map((one) => ({ value: one.code, label: one.title }))}
          value={type}
          onChange={(word) =>
            onChange({ name: value.name, type: word ?? 'line', operator: operatorsFor(types, word ?? 'line')[0] })
          }
        />
      )}
      {(!named || value) && (
        <OperatorSelect
          types={types}
          fieldType={type}
          operator={value?.operator}
          value={value?.value}
          disabled={disabled}
          label={`${title}: ${t('rules.operator')}`}
          placeholder={named || kind === 'line' ? undefined : t('area.rules.anyTime')}
          onChange={(operator, kept) => put({ operator, value: kept })}
        />
      )}
      {value?.operator && (
        <OperatorValue
          types={types}
          shape={shapeOf(types, value.operator)}
          field={{ type, options: null }}
          value={value.value}
          disabled={disabled}
          onChange={(next) => put({ value: next })}
        />
      )}
    </div>
  )
}
