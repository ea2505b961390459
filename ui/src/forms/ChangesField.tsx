import { ActionIcon, Button, Input, Select } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useFieldsOf } from './ReferenceField'
import type { FieldProps } from './SchemaForm'
import { ValueInput } from './ValueInput'

type Change = { field?: string; operation: string; value?: unknown }

const BY_TYPE: Record<string, string[]> = {
  integer: ['set', 'increase', 'decrease', 'clear'],
  float: ['set', 'increase', 'decrease', 'clear'],
  tags: ['add_tags', 'remove_tags', 'set', 'clear'],
}
const OTHERWISE = ['set', 'clear']

/** What happens to which fields of the profile. */
export function ChangesField({ label, hint, error, value, context, onChange }: FieldProps) {
  const { t } = useTranslation()
  const fields = useFieldsOf(context.database)
  const changes = (value ?? []) as Change[]
  const put = (index: number, change: Change) => onChange(changes.map((old, i) => (i === index ? change : old)))
  return (
    <Input.Wrapper label={label} description={hint} error={error} labelElement="div">
      <div style={{ marginTop: 6 }}>
        {changes.map((change, index) => {
          const field = fields.find(({ name }) => name === change.field)
          const operations = BY_TYPE[field?.type ?? ''] ?? OTHERWISE
          return (
            <div className="changes-row" key={index}>
              <Select
                size="xs"
                aria-label={t('rules.field')}
                placeholder={t('form.choose')}
                searchable
                disabled={context.disabled}
                data={fields.map(({ name, title }) => ({ value: name, label: title }))}
                value={change.field ?? null}
                onChange={(name) => {
                  const type = fields.find((found) => found.name === name)?.type ?? ''
                  put(index, { field: name ?? undefined, operation: (BY_TYPE[type] ?? OTHERWISE)[0]! })
                }}
              />
              <Select
                size="xs"
                aria-label={t('form.operations.set')}
                allowDeselect={false}
                disabled={context.disabled}
                data={operations.map((operation) => ({ value: operation, label: t(`form.operations.${operation}`) }))}
                value={change.operation}
                onChange={(operation) => put(index, { ...change, operation: operation! })}
              />
              {change.operation === 'clear' ? (
                <span />
              ) : (
                <ValueInput
                  field={field}
                  value={change.value}
                  disabled={context.disabled}
                  onChange={(next) => put(index, { ...change, value: next })}
                />
              )}
              <ActionIcon
                size="md"
                disabled={context.disabled}
                aria-label={t('remove')}
                onClick={() => onChange(changes.filter((_, i) => i !== index))}
              >
                <IconX size={15} />
              </ActionIcon>
            </div>
          )
        })}
        {!context.disabled && (
          <Button
            size="compact-xs"
            variant="subtle"
            leftSection={<IconPlus size={13} />}
            onClick={() => onChange([...changes, { operation: 'set' }])}
          >
            {t('form.addChange')}
          </Button>
        )}
      </div>
    </Input.Wrapper>
  )
}
