import { Alert, Button, Group, Modal, NumberInput, Radio, Stack, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useEffectOf, useSetPeriod, type Period } from '../api/privacy'
import { toast } from '../components/toasts'
import { number } from '../format/numbers'

const SUGGESTED_DAYS = 365

/** Asks for a period and shows what it would take away before it is set. */
export function PeriodDialog({ period, onClose }: { period: Period; onClose: () => void }) {
  const { t } = useTranslation()
  const set = useSetPeriod()
  const [limited, setLimited] = useState(period.days !== null)
  const [days, setDays] = useState(period.days ?? Math.max(SUGGESTED_DAYS, period.least_days))
  const [busy, setBusy] = useState(false)
  const valid = days >= period.least_days && days <= 36_500
  const save = async () => {
    setBusy(true)
    try {
      await set(period.kind, limited ? days : null)
      toast.good(t('area.privacy.saved'))
      onClose()
    } catch (error) {
      toast.bad(errorText(error))
      setBusy(false)
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.privacy.dialogTitle', { kind: period.title })}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        <Text size="sm" c="var(--ink2)">
          {period.loses}
        </Text>
        <Radio.Group
          value={limited ? 'days' : 'ever'}
          onChange={(value) => setLimited(value === 'days')}
          aria-label={t('area.privacy.period')}
        >
          <Stack gap={8}>
            <Radio value="ever" label={t('area.privacy.keepForever')} />
            <Radio value="days" label={t('area.privacy.keepDays')} />
          </Stack>
        </Radio.Group>
        {limited && (
          <>
            <NumberInput
              label={t('area.privacy.daysLabel')}
              min={period.least_days}
              max={36_500}
              allowDecimal={false}
              value={days}
              onChange={(value) => setDays(Number(value) || 0)}
              error={valid ? undefined : t('area.privacy.least', { count: period.least_days })}
              description={period.least_days > 1 ? t('area.privacy.least', { count: period.least_days }) : undefined}
            />
            <Effect kind={period.kind} days={valid ? days : null} />
          </>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button loading={busy} disabled={limited && !valid} color={limited ? 'red' : undefined} onClick={save}>
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function Effect({ kind, days }: { kind: string; days: number | null }) {
  const { t } = useTranslation()
  const [settled] = useDebouncedValue(days, 350)
  const effect = useEffectOf(kind, settled)
  if (days === null) return null
  if (effect.isPending || settled !== days) return <Text size="sm">{t('area.privacy.counting')}</Text>
  if (effect.isError) return <Text size="sm">{errorText(effect.error)}</Text>
  const { rows, exact } = effect.data
  if (rows === 0) return <Text size="sm">{t('area.privacy.effectNone')}</Text>
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />}>
      {t(exact ? 'area.privacy.effectRows' : 'area.privacy.effectAbout', { count: rows, shown: number(rows) })}
    </Alert>
  )
}
