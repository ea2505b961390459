import { ActionIcon, Button, Input, SegmentedControl, Switch } from '@mantine/core'
import { IconFolderPlus, IconPlus, IconX } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { FieldProps, FormContext } from '../SchemaForm'
import { CopyRules } from './CopyRules'
import { RuleRow } from './RuleRow'
import { RulesInWords } from './RulesInWords'
import { isRule, joined, readTree, writeTree, type Group, type TreeNode } from './tree'
import { useTold } from './useTold'

const NEW_RULE: TreeNode = { rule: 'subscription', state: 'confirmed' }
const NEW_CONTENT: TreeNode = { rule: 'api_content', content: { name: 'order.sum', operator: 'set' } }
/** What a new rule asks for, by the step that it is for. */
const newRule = (context: FormContext) => ({ ...(context.nodeType === 'api_filter' ? NEW_CONTENT : NEW_RULE) })

/** A readable editor of nested rules. It keeps its own tree, since a group without rules has no place in the document. */
export function RulesField({ label, hint, error, value, context, onChange }: FieldProps) {
  const [tree, setTree] = useState(() => readTree(value))
  const told = useTold(tree, context)
  const change = (next: Group) => {
    setTree(next)
    onChange(writeTree(next))
  }
  return (
    <Input.Wrapper label={label} description={hint} error={told.problems.size ? undefined : error} labelElement="div">
      <div style={{ marginTop: 6 }}>
        <GroupBox
          group={tree}
          context={context}
          problems={told.problems}
          onChange={change}
          copy={<CopyRules context={context} onCopy={(copied) => change(joined(tree, copied))} />}
        />
        <RulesInWords text={told.text} />
      </div>
    </Input.Wrapper>
  )
}

type GroupProps = {
  group: Group
  context: FormContext
  problems: Map<TreeNode, string>
  copy?: ReactNode
  onChange: (group: Group) => void
  onRemove?: () => void
}

function GroupBox({ group, context, problems, copy, onChange, onRemove }: GroupProps) {
  const { t } = useTranslation()
  const { disabled } = context
  const put = (index: number, child: TreeNode) =>
    onChange({ ...group, children: group.children.map((old, i) => (i === index ? child : old)) })
  const drop = (index: number) => onChange({ ...group, children: group.children.filter((_, i) => i !== index) })
  const append = (child: TreeNode) => onChange({ ...group, children: [...group.children, child] })
  return (
    <div className="rule-group" role="group" aria-label={t(`rules.${group.kind}`)}>
      <div className="rule-group-head">
        <SegmentedControl
          size="xs"
          disabled={disabled}
          data={[
            { value: 'all', label: t('rules.all') },
            { value: 'any', label: t('rules.any') },
          ]}
          value={group.kind}
          onChange={(kind) => onChange({ ...group, kind: kind as Group['kind'] })}
        />
        <Switch
          size="xs"
          label={t('rules.not')}
          disabled={disabled}
          checked={group.negated}
          onChange={(event) => onChange({ ...group, negated: event.currentTarget.checked })}
        />
        <span style={{ flex: 1 }} />
        {!disabled && (
          <>
            <Button
              size="compact-xs"
              variant="subtle"
              leftSection={<IconPlus size={13} />}
              onClick={() => append(newRule(context))}
            >
              {t('rules.addRule')}
            </Button>
            <Button
              size="compact-xs"
              variant="subtle"
              color="gray"
              leftSection={<IconFolderPlus size={13} />}
              onClick={() => append({ kind: 'any', negated: false, children: [newRule(context)] })}
            >
              {t('rules.addGroup')}
            </Button>
            {copy}
            {onRemove && (
              <ActionIcon size="sm" aria-label={t('rules.removeGroup')} onClick={onRemove}>
                <IconX size={14} />
              </ActionIcon>
            )}
          </>
        )}
      </div>
      {group.children.map((child, index) =>
        isRule(child) ? (
          <RuleRow
            key={index}
            rule={child}
            context={context}
            problem={problems.get(child)}
            onChange={(rule) => put(index, rule)}
            onRemove={() => drop(index)}
          />
        ) : (
          <GroupBox
            key={index}
            group={child}
            context={context}
            problems={problems}
            onChange={(next) => put(index, next)}
            onRemove={() => drop(index)}
          />
        ),
      )}
      {group.children.length === 0 && (
        <span style={{ color: 'var(--ink2)', padding: '2px 4px' }}>{t('rules.empty')}</span>
      )}
    </div>
  )
}
