import { ActionIcon, NumberInput, Select, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useNamed } from '../../api/lookups'
import { useFieldsOf } from '../ReferenceField'
import type { FormContext } from '../SchemaForm'
import { ValueInput } from '../ValueInput'
import type { Rule } from './tree'

const STATES = [
  'confirmed',
  'double_opt_in',
  'subscribed',
  'unsubscribed',
  'complained',
  'hardbounced',
  'unconfirmed',
  'suspended',
  'invalid',
]
const CHANNELS = ['email', 'sms', 'push', 'telegram', 'whatsapp', 'viber', 'notify']
const ORDERED = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'in', 'set', 'not_set']
const TEXT = ['eq', 'ne', 'contains', 'starts_with', 'in', 'set', 'not_set']
const OPERATORS: Record<string, string[]> = {
  integer: ORDERED,
  float: ORDERED,
  date: ORDERED,
  boolean: ['eq', 'ne', 'set', 'not_set'],
  tags: ['has', 'has_not', 'set', 'not_set'],
  object: ['set', 'not_set'],
  objects: ['set', 'not_set'],
}
const NEW: Record<string, Rule> = {
  field: { rule: 'field', operator: 'eq' },
  subscription: { rule: 'subscription', state: 'confirmed' },
  message: { rule: 'message', event: 'sent', scope: 'passage' },
}

type Props = { rule: Rule; context: FormContext; onChange: (rule: Rule) => void; onRemove: () => void }
type PartsProps = Omit<Props, 'onRemove'>

export function RuleRow({ rule, context, onChange, onRemove }: Props) {
  const { t } = useTranslation()
  const Parts = { field: FieldParts, subscription: SubscriptionParts, message: MessageParts }[rule.rule]
  return (
    <div className="rule-row">
      {Parts ? (
        <div className="rule-parts">
          <Choice
            label={t('rules.kind')}
            values={Object.keys(NEW)}
            words="rules.kinds"
            value={rule.rule}
            disabled={context.disabled}
            onChange={(kind) => kind && onChange(NEW[kind]!)}
          />
          <Parts rule={rule} context={context} onChange={onChange} />
        </div>
      ) : (
        <div style={{ flex: 1, minWidth: 0 }}>
          {t('rules.unknown')} <code>{JSON.stringify(rule)}</code>
        </div>
      )}
      {!context.disabled && (
        <ActionIcon size="md" aria-label={t('rules.remove')} onClick={onRemove}>
          <IconX size={15} />
        </ActionIcon>
      )}
    </div>
  )
}

function FieldParts({ rule, context, onChange }: PartsProps) {
  const { t } = useTranslation()
  const fields = useFieldsOf(context.database)
  const field = fields.find(({ name }) => name === rule.field)
  const operator = rule.operator as string
  const operators = OPERATORS[field?.type ?? ''] ?? TEXT
  return (
    <>
      <Select
        size="xs"
        aria-label={t('rules.field')}
        placeholder={t('rules.field')}
        searchable
        disabled={context.disabled}
        data={fields.map(({ name, title }) => ({ value: name, label: title }))}
        value={(rule.field as string) ?? null}
        onChange={(name) => {
          const type = fields.find((found) => found.name === name)?.type ?? ''
          onChange({ rule: 'field', field: name ?? undefined, operator: (OPERATORS[type] ?? TEXT)[0] })
        }}
      />
      <Choice
        label={t('rules.operator')}
        values={operators}
        words="rules.operators"
        value={operator}
        disabled={context.disabled}
        onChange={(next) =>
          onChange({ ...rule, operator: next, value: next === 'set' || next === 'not_set' ? undefined : rule.value })
        }
      />
      {operator !== 'set' && operator !== 'not_set' && (
        <ValueInput
          field={operator === 'has' || operator === 'has_not' ? undefined : field}
          many={operator === 'in'}
          value={rule.value}
          disabled={context.disabled}
          onChange={(value) => onChange({ ...rule, value })}
        />
      )}
    </>
  )
}

function SubscriptionParts({ rule, context, onChange }: PartsProps) {
  const { t } = useTranslation()
  const put = (part: Partial<Rule>) => onChange({ ...rule, ...part })
  return (
    <>
      <Named
        kind="resource"
        label={t('rules.resource')}
        any={t('rules.anyResource')}
        rule={rule}
        context={context}
        onChange={onChange}
      />
      <Choice
        label={t('rules.channel')}
        any={t('rules.anyChannel')}
        values={CHANNELS}
        words="channel"
        value={rule.channel}
        disabled={context.disabled}
        onChange={(channel) => put({ channel: channel ?? undefined })}
      />
      <Choice
        label={t('rules.state')}
        values={STATES}
        words="rules.states"
        value={rule.state ?? 'confirmed'}
        disabled={context.disabled}
        onChange={(state) => put({ state })}
      />
    </>
  )
}

function MessageParts({ rule, context, onChange }: PartsProps) {
  const { t } = useTranslation()
  const put = (part: Partial<Rule>) => onChange({ ...rule, ...part })
  const { disabled } = context
  return (
    <>
      <Choice
        label={t('rules.channel')}
        any={t('rules.anyChannel')}
        values={CHANNELS}
        words="channel"
        value={rule.channel}
        disabled={disabled}
        onChange={(channel) => put({ channel: channel ?? undefined })}
      />
      <Choice
        label={t('rules.event')}
        values={['sent', 'opened', 'clicked']}
        words="rules.events"
        value={rule.event}
        disabled={disabled}
        onChange={(event) => put({ event, link: undefined })}
      />
      <Choice
        label={t('rules.scope')}
        values={['passage', 'ever']}
        words="rules.scopes"
        value={rule.scope ?? 'passage'}
        disabled={disabled}
        onChange={(scope) => put({ scope })}
      />
      <Named
        kind="template"
        label={t('rules.template')}
        any={t('rules.anyTemplate')}
        rule={rule}
        context={context}
        onChange={onChange}
      />
      <Select
        size="xs"
        aria-label={t('rules.node')}
        placeholder={t('rules.anyNode')}
        clearable
        disabled={disabled}
        data={context.steps.map(({ id, title }) => ({ value: String(id), label: title }))}
        value={rule.node === undefined || rule.node === null ? null : String(rule.node)}
        onChange={(node) => put({ node: node === null ? undefined : Number(node) })}
      />
      <NumberInput
        size="xs"
        aria-label={t('rules.atLeast')}
        prefix={`${t('rules.atLeast')}: `}
        min={1}
        max={1000}
        disabled={disabled}
        value={(rule.at_least as number) ?? 1}
        onChange={(times) => put({ at_least: typeof times === 'number' && times > 1 ? times : undefined })}
      />
      {rule.event === 'clicked' && (
        <TextInput
          size="xs"
          aria-label={t('rules.link')}
          placeholder={t('rules.anyLink')}
          disabled={disabled}
          value={(rule.link as string) ?? ''}
          onChange={(event) => put({ link: event.currentTarget.value || undefined })}
        />
      )}
    </>
  )
}

type ChoiceProps = {
  label: string
  any?: string
  values: string[]
  words: string
  value: unknown
  disabled: boolean
  onChange: (value: string | null) => void
}

function Choice({ label, any, values, words, value, disabled, onChange }: ChoiceProps) {
  const { t } = useTranslation()
  return (
    <Select
      size="xs"
      aria-label={label}
      placeholder={any}
      clearable={any !== undefined}
      allowDeselect={false}
      disabled={disabled}
      data={values.map((word) => ({ value: word, label: t(`${words}.${word}`) }))}
      value={typeof value === 'string' ? value : null}
      onChange={onChange}
    />
  )
}

type NamedProps = PartsProps & { kind: 'resource' | 'template'; label: string; any: string }

function Named({ kind, label, any, rule, context, onChange }: NamedProps) {
  const { items } = useNamed(kind)
  const current =
    items.find((item) => item.id === rule[kind] || item.name === rule[kind])?.name ?? (rule[kind] as string | undefined)
  const names = items.map((item) => item.name)
  return (
    <Select
      size="xs"
      aria-label={label}
      placeholder={any}
      searchable
      clearable
      allowDeselect={false}
      disabled={context.disabled}
      data={current === undefined || names.includes(current) ? names : [...names, String(current)]}
      value={current === undefined ? null : String(current)}
      onChange={(name) => onChange({ ...rule, [kind]: name ?? undefined })}
    />
  )
}
