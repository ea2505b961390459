import { ActionIcon, Button, Group, Input, NumberInput, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { number } from '../format/numbers'
import type { FieldProps } from './SchemaForm'

type Branch = { title?: string; percent: number }
const MOST = 10

/** Branches of a split, each with its share; the shares add up to a hundred. */
export function BranchesField({ label, hint, error, value, context, onChange }: FieldProps) {
  const { t } = useTranslation()
  const branches = (value ?? []) as Branch[]
  const sum = Math.round(branches.reduce((total, branch) => total + branch.percent, 0) * 100) / 100
  const put = (index: number, part: Partial<Branch>) =>
    onChange(branches.map((branch, i) => (i === index ? { ...branch, ...part } : branch)))
  return (
    <Input.Wrapper label={label} description={hint} error={error} labelElement="div">
      <div style={{ marginTop: 6 }}>
        {branches.map((branch, index) => (
          <Group key={index} gap={8} mb={6} wrap="nowrap">
            <TextInput
              size="xs"
              flex={1}
              maxLength={100}
              aria-label={`${t('area.steps.branch')} ${index + 1}`}
              placeholder={letter(index)}
              disabled={context.disabled}
              value={branch.title ?? ''}
              onChange={(event) => put(index, { title: event.currentTarget.value })}
            />
            <NumberInput
              size="xs"
              w={96}
              min={0}
              max={100}
              decimalScale={2}
              suffix=" %"
              aria-label={`${t('area.steps.percent')} ${index + 1}`}
              disabled={context.disabled}
              value={branch.percent}
              onChange={(percent) => put(index, { percent: Number(percent) || 0 })}
            />
            <ActionIcon
              size="md"
              aria-label={t('remove')}
              disabled={context.disabled || branches.length <= 2}
              onClick={() => onChange(branches.filter((_, i) => i !== index))}
            >
              <IconX size={15} />
            </ActionIcon>
          </Group>
        ))}
        {!context.disabled && (
          <Group gap={8}>
            <Button
              size="compact-xs"
              variant="subtle"
              leftSection={<IconPlus size={13} />}
              disabled={branches.length >= MOST}
              onClick={() => onChange([...branches, { title: '', percent: Math.max(0, 100 - sum) }])}
            >
              {t('area.steps.addBranch')}
            </Button>
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => onChange(evenly(branches))}>
              {t('area.steps.even')}
            </Button>
            <span style={{ color: sum === 100 ? 'var(--ink2)' : 'var(--no)', fontSize: 12.5 }}>
              {t('area.steps.sum', { sum: number(sum) })}
            </span>
          </Group>
        )}
      </div>
    </Input.Wrapper>
  )
}

const letter = (index: number) => String.fromCharCode(65 + index)

/** The same share for each; what cannot be shared out goes to the first ones. */
function evenly(branches: Branch[]): Branch[] {
  const whole = Math.floor(10_000 / branches.length)
  const rest = 10_000 - whole * branches.length
  return branches.map((branch, index) => ({ ...branch, percent: (whole + (index < rest ? 1 : 0)) / 100 }))
}
