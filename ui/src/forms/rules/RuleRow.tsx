import { ActionIcon, Button, Select, Skeleton } from '@mantine/core'
import { IconChevronDown, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useRuleTypes, type RuleType, type RuleTypes, type Setting } from '../../api/rules'
import { useLanguage } from '../../i18n'
import type { FormContext } from '../SchemaForm'
import { FieldParts } from './FieldParts'
import { SettingInput } from './SettingInput'
import { comparesField, newRule, shownSettings } from './settings'
import type { Rule } from './tree'

type Props = {
  rule: Rule
  context: FormContext
  /** What the server says is wrong with the rule. */
  problem: string | undefined
  onChange: (rule: Rule) => void
  onRemove: () => void
}

/** One rule, drawn from what the server says of its kind. */
export function RuleRow({ rule, context, problem, onChange, onRemove }: Props) {
  const { t } = useTranslation()
  const types = useRuleTypes(useLanguage())
  const type = types.data?.rules.find(({ code }) => code === rule.rule)
  if (types.isPending) return <Skeleton height={34} my={4} />
  return (
    <div className="rule-row" data-wrong={problem !== undefined}>
      {types.data && type ? (
        <div style={{ flex: 1, minWidth: 0 }}>
          <div className="rule-parts">
            <KindSelect types={types.data} rule={rule} context={context} onChange={onChange} />
            <Settings
              key={rule.rule}
              types={types.data}
              type={type}
              rule={rule}
              context={context}
              onChange={onChange}
            />
          </div>
          {problem && <div className="rule-problem">{problem}</div>}
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

type PartProps = { types: RuleTypes; rule: Rule; context: FormContext; onChange: (rule: Rule) => void }

function KindSelect({ types, rule, context, onChange }: PartProps) {
  const { t } = useTranslation()
  const inScenario = context.nodeType !== ''
  const data = types.groups
    .map(({ code, title }) => ({
      group: title,
      items: types.rules
        .filter((type) => type.group === code && (inScenario || !type.for_scenarios || type.code === rule.rule))
        .map((type) => ({ value: type.code, label: type.title })),
    }))
    .filter(({ items }) => items.length > 0)
  return (
    <Select
      size="xs"
      aria-label={t('rules.kind')}
      allowDeselect={false}
      searchable
      disabled={context.disabled}
      maxDropdownHeight={360}
      nothingFoundMessage={t('form.nothing')}
      data={data}
      value={rule.rule}
      onChange={(code) => code && onChange(newRule(types, code))}
    />
  )
}

function Settings({ types, type, rule, context, onChange }: PartProps & { type: RuleType }) {
  const { t } = useTranslation()
  const { properties, required } = type.settings
  const used = Object.entries(properties).some(([name, setting]) => setting['x-advanced'] && isGiven(rule[name]))
  const [more, setMore] = useState(used)
  const shown = shownSettings(properties, rule)
  const put = (name: string, value: unknown) => {
    const next = { ...rule, [name]: value }
    if (value === undefined) delete next[name]
    onChange(next)
  }
  const draw = ([name, setting]: [string, Setting]) => (
    <SettingInput
      key={name}
      types={types}
      name={name}
      setting={setting}
      required={required.includes(name)}
      rule={rule}
      context={context}
      onChange={(value) => put(name, value)}
    />
  )
  const plain = shown.filter(
    ([, setting]) => !setting['x-advanced'] && !setting['x-widget']?.match(/^(operator|value|path)$/),
  )
  const advanced = shown.filter(([, setting]) => setting['x-advanced'])
  return (
    <>
      {comparesField(properties) ? (
        <FieldParts types={types} rule={rule} context={context} onChange={onChange} />
      ) : (
        plain.map(draw)
      )}
      {more && advanced.map(draw)}
      {!more && advanced.length > 0 && !context.disabled && (
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          rightSection={<IconChevronDown size={13} />}
          onClick={() => setMore(true)}
        >
          {t('area.rules.more')}
        </Button>
      )}
    </>
  )
}

const isGiven = (value: unknown) =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && !value.length)
