import { MultiSelect, NumberInput, TagsInput, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { RuleTypes } from '../../api/rules'
import { useLanguage } from '../../i18n'
import { useChoices, ValueInput, type ValueField } from '../ValueInput'

type Props = {
  types: RuleTypes
  shape: string
  field: ValueField | undefined
  value: unknown
  disabled: boolean
  onChange: (value: unknown) => void
}

/** What stands behind a comparison, by its shape. */
export function OperatorValue({ types, shape, field, value, disabled, onChange }: Props) {
  const { t } = useTranslation()
  const language = useLanguage()
  const choices = useChoices(field)
  const common = { size: 'xs', 'aria-label': t('rules.value'), placeholder: t('rules.value'), disabled } as const
  const pair = Array.isArray(value) ? value : [undefined, undefined]
  const putPair = (index: number, part: unknown) => onChange(index === 0 ? [part, pair[1]] : [pair[0], part])
  switch (shape) {
    case 'none':
      return null
    case 'text':
    case 'pattern':
      return (
        <TextInput
          {...common}
          placeholder={shape === 'pattern' ? t('area.rules.pattern') : t('rules.value')}
          maxLength={shape === 'pattern' ? 200 : 1000}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onChange(event.currentTarget.value || undefined)}
        />
      )
    case 'texts':
      return <PasteList {...common} value={texts(value)} onChange={onChange} data={field?.options ?? []} />
    case 'many':
      return choices ? (
        <MultiSelect {...common} searchable data={choices} value={texts(value)} onChange={onChange} />
      ) : (
        <PasteList
          {...common}
          value={texts(value)}
          onChange={(list) => onChange(list.map((one) => typed(field, one)))}
        />
      )
    case 'groups':
      return (
        <MultiSelect
          {...common}
          data={types.domain_groups.map(({ code, title }) => ({ value: code, label: title }))}
          value={texts(value)}
          onChange={onChange}
        />
      )
    case 'countries':
      return (
        <MultiSelect
          {...common}
          placeholder={texts(value).length ? undefined : common.placeholder}
          searchable
          limit={300}
          maxValues={50}
          nothingFoundMessage={t('form.nothing')}
          data={countries(types.countries, language)}
          value={texts(value)}
          onChange={onChange}
        />
      )
    case 'range':
      return (
        <>
          {[0, 1].map((index) => (
            <ValueInput
              key={index}
              field={field}
              value={pair[index]}
              disabled={disabled}
              onChange={(part) => putPair(index, part)}
            />
          ))}
        </>
      )
    case 'days_range':
      return (
        <>
          {[0, 1].map((index) => (
            <NumberInput
              hideControls
              {...common}
              key={index}
              aria-label={t(index ? 'area.rules.toDay' : 'area.rules.fromDay')}
              prefix={`${t(index ? 'area.rules.toDay' : 'area.rules.fromDay')}: `}
              min={-366}
              max={366}
              allowDecimal={false}
              value={typeof pair[index] === 'number' ? (pair[index] as number) : ''}
              onChange={(part) => putPair(index, typeof part === 'number' ? part : undefined)}
            />
          ))}
        </>
      )
    case 'days':
    case 'count':
      return (
        <NumberInput
          hideControls
          {...common}
          min={0}
          max={shape === 'days' ? 36_500 : 10_000}
          suffix={shape === 'days' ? ` ${t('area.rules.days', { count: typeof value === 'number' ? value : 0 })}` : ''}
          allowDecimal={false}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(typeof next === 'number' ? next : undefined)}
        />
      )
    case 'weekdays':
    case 'months':
      return (
        <MultiSelect
          {...common}
          data={shape === 'weekdays' ? weekdays(language) : months(language)}
          value={texts(value)}
          onChange={(chosen) => onChange(chosen.map(Number).sort((a, b) => a - b))}
        />
      )
    default:
      return <ValueInput field={field} value={value} disabled={disabled} onChange={onChange} />
  }
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : value === undefined || value === null ? [] : [String(value)]

const typed = (field: ValueField | undefined, text: string) =>
  (field?.type === 'integer' || field?.type === 'float') && text.trim() !== '' && !Number.isNaN(Number(text))
    ? Number(text)
    : text

type ListProps = {
  'aria-label': string
  placeholder: string
  size: 'xs'
  disabled: boolean
  data?: string[]
  value: string[]
  onChange: (value: string[]) => void
}

/** Many values: typed one by one, or pasted, one a line or separated by commas. */
function PasteList({ value, onChange, placeholder, ...rest }: ListProps) {
  const { t } = useTranslation()
  const shown = value.slice(0, 20)
  const hidden = value.slice(20)
  return (
    <TagsInput
      {...rest}
      placeholder={value.length ? undefined : placeholder}
      splitChars={[',', '\n', ';', '\t']}
      description={hidden.length ? t('area.rules.moreValues', { count: hidden.length }) : undefined}
      inputWrapperOrder={['input', 'description']}
      value={shown}
      onPaste={(event) => {
        const lines = event.clipboardData.getData('text').split(/[\n,;\t]/)
        if (lines.length < 2) return
        event.preventDefault()
        onChange([...new Set([...value, ...lines.map((line) => line.trim()).filter(Boolean)])].slice(0, 10_000))
      }}
      onChange={(list) => onChange([...list, ...hidden])}
    />
  )
}

function countries(codes: string[], language: string) {
  const names = new Intl.DisplayNames(language, { type: 'region' })
  return codes
    .map((code) => ({ value: code, label: names.of(code) ?? code }))
    .sort((a, b) => a.label.localeCompare(b.label, language))
}

/* 5 January 1970 was a Monday. */
const weekdays = (language: string) =>
  Array.from({ length: 7 }, (_, index) => ({
    value: String(index + 1),
    label: new Intl.DateTimeFormat(language, { weekday: 'long', timeZone: 'UTC' }).format(Date.UTC(1970, 0, 5 + index)),
  }))

const months = (language: string) =>
  Array.from({ length: 12 }, (_, index) => ({
    value: String(index + 1),
    label: new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' }).format(Date.UTC(1970, index, 5)),
  }))
