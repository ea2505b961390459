import { MultiSelect, NumberInput, Select, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { canBeListed, useNamed } from '../../api/lookups'
import type { RuleTypes, Setting } from '../../api/rules'
import { settingText } from '../../i18n'
import { useFieldsOf } from '../ReferenceField'
import type { FormContext } from '../SchemaForm'
import { ComparisonInput } from './ComparisonInput'
import type { Rule } from './tree'

type Props = {
  types: RuleTypes
  name: string
  setting: Setting
  required: boolean
  rule: Rule
  context: FormContext
  onChange: (value: unknown) => void
}

/** One setting of a rule: its title stands in the empty input, and before the value where that would not explain itself. */
export function SettingInput(props: Props) {
  const { setting, rule, name, context, onChange } = props
  const value = rule[name] ?? undefined
  const common = {
    size: 'xs',
    'aria-label': setting.title,
    placeholder: setting.title,
    disabled: context.disabled,
  } as const
  if (setting['x-widget'] === 'field') return <FieldSelect {...props} />
  if (setting['x-widget'] === 'node') return <NodeSelect {...props} />
  if (setting['x-widget']?.endsWith('_comparison'))
    return (
      <ComparisonInput
        types={props.types}
        title={setting.title}
        named={setting['x-widget'] === 'custom_comparison'}
        kind={setting['x-widget'] === 'text_comparison' ? 'line' : 'date'}
        value={value as never}
        disabled={context.disabled}
        onChange={onChange}
      />
    )
  if (setting['x-source'] && !canBeListed(setting['x-source'])) return <PlainText {...props} />
  if (setting['x-source'] && setting.type === 'array') return <References {...props} source={setting['x-source']} />
  if (setting['x-source']) return <Reference {...props} source={setting['x-source']} />
  if (setting.items?.enum) return <Words {...props} words={setting.items.enum} />
  if (setting.enum)
    return (
      <Select
        {...common}
        clearable={!props.required && setting.default === null}
        allowDeselect={false}
        searchable={setting.enum.length > 8}
        data={setting.enum.map((word) => ({ value: word, label: setting['x-words']?.[word] ?? word }))}
        value={(value as string) ?? (setting.default as string) ?? null}
        onChange={(word) => onChange(word ?? undefined)}
      />
    )
  if (setting.type === 'integer' || setting.type === 'number')
    return (
      <NumberInput
        {...common}
        prefix={`${setting.title}: `}
        hideControls
        min={setting.minimum}
        max={setting.maximum}
        allowDecimal={setting.type === 'number'}
        value={(value as number) ?? (setting.default as number | null) ?? ''}
        onChange={(number) => onChange(typeof number === 'number' ? number : undefined)}
      />
    )
  return <PlainText {...props} />
}

function PlainText({ setting, rule, name, context, onChange }: Props) {
  const value = rule[name]
  return (
    <TextInput
      size="xs"
      aria-label={setting.title}
      placeholder={setting.title}
      disabled={context.disabled}
      title={setting.format === 'date' ? setting.title : undefined}
      type={setting.format === 'date' ? 'date' : 'text'}
      value={value === undefined || value === null ? '' : String(value)}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
  )
}

/** Several words of a fixed choice; one alone is kept as it is. */
function Words({ setting, rule, name, context, words, onChange }: Props & { words: string[] }) {
  const given = rule[name] ?? setting.default
  const chosen = Array.isArray(given) ? given.map(String) : given ? [String(given)] : []
  return (
    <MultiSelect
      size="xs"
      aria-label={setting.title}
      placeholder={chosen.length ? undefined : setting.title}
      disabled={context.disabled}
      searchable={words.length > 8}
      maxDropdownHeight={320}
      data={words.map((word) => ({ value: word, label: setting['x-words']?.[word] ?? word }))}
      value={chosen}
      onChange={(list) => onChange(list.length > 1 ? list : list[0])}
    />
  )
}

function FieldSelect({ setting, rule, name, context, onChange }: Props) {
  const fields = useFieldsOf(context.database)
  return (
    <Select
      size="xs"
      aria-label={setting.title}
      placeholder={setting.title}
      searchable
      allowDeselect={false}
      disabled={context.disabled}
      data={fields.map((field) => ({ value: field.name, label: settingText(field.title) }))}
      value={(rule[name] as string) ?? null}
      onChange={onChange}
    />
  )
}

function NodeSelect({ setting, rule, name, context, onChange }: Props) {
  const node = rule[name]
  return (
    <Select
      size="xs"
      aria-label={setting.title}
      placeholder={setting.title}
      clearable
      disabled={context.disabled}
      data={context.steps.map(({ id, title }) => ({ value: String(id), label: title }))}
      value={node === undefined || node === null ? null : String(node)}
      onChange={(id) => onChange(id === null ? undefined : Number(id))}
    />
  )
}

type NamedProps = Props & { source: string }

/** A thing named by id or by name; what is chosen is kept by name, which survives a move to another installation. */
function Reference({ setting, rule, name, context, source, required, onChange }: NamedProps) {
  const { t } = useTranslation()
  const { items } = useNamed(source)
  const value = rule[name]
  const current = items.find((item) => item.id === value || item.name === value)?.name ?? (value as string | undefined)
  const names = [...new Set(items.map((item) => item.name))]
  return (
    <Select
      size="xs"
      aria-label={setting.title}
      placeholder={required ? setting.title : `${setting.title}: ${t('area.rules.any')}`}
      searchable
      clearable={!required}
      allowDeselect={false}
      disabled={context.disabled}
      nothingFoundMessage={t('form.nothing')}
      data={current === undefined || names.includes(String(current)) ? names : [...names, String(current)]}
      value={current === undefined ? null : String(current)}
      onChange={(chosen) => onChange(chosen ?? undefined)}
    />
  )
}

function References({ setting, rule, name, context, source, onChange }: NamedProps) {
  const { items } = useNamed(source)
  const value = (rule[name] as (number | string)[] | undefined) ?? []
  const chosen = value.map((one) => items.find((item) => item.id === one || item.name === one)?.name ?? String(one))
  const names = [...new Set([...items.map((item) => item.name), ...chosen])]
  return (
    <MultiSelect
      size="xs"
      aria-label={setting.title}
      placeholder={chosen.length ? undefined : setting.title}
      searchable
      clearable
      disabled={context.disabled}
      data={names}
      value={chosen}
      onChange={(list) => onChange(list.length ? list : undefined)}
    />
  )
}
