import { Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { RuleTypes } from '../../api/rules'
import { carriedValue, operatorsFor, shapeOf } from './settings'

type Props = {
  types: RuleTypes
  fieldType: string | undefined
  operator: string | undefined
  value: unknown
  disabled: boolean
  label?: string
  placeholder?: string
  onChange: (operator: string | undefined, value: unknown) => void
}

/** The comparisons of a type of field; a value that fits the new one too is kept. */
export function OperatorSelect({ types, fieldType, operator, value, disabled, label, placeholder, onChange }: Props) {
  const { t } = useTranslation()
  const offered = operatorsFor(types, fieldType)
  const codes = !operator || offered.includes(operator) ? offered : [...offered, operator]
  const title = (code: string) => types.operators.find((found) => found.code === code)?.title ?? code
  return (
    <Select
      size="xs"
      aria-label={label ?? t('rules.operator')}
      placeholder={placeholder}
      clearable={placeholder !== undefined}
      allowDeselect={false}
      searchable
      disabled={disabled}
      maxDropdownHeight={340}
      nothingFoundMessage={t('form.nothing')}
      data={codes.map((code) => ({ value: code, label: title(code) }))}
      value={operator ?? null}
      onChange={(code) =>
        onChange(code ?? undefined, carriedValue(value, shapeOf(types, operator), shapeOf(types, code ?? undefined)))
      }
    />
  )
}
