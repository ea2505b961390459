import { Radio, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { ReentryMode, ScenarioDocument } from '../api/scenarios'
import { DurationInput } from '../forms/DurationField'

const MODES: ReentryMode[] = ['never', 'after_exit', 'restart', 'parallel']

type Reentry = ScenarioDocument['reentry']
type Props = { value: Reentry; onChange: (value: Reentry) => void }

/** What happens when somebody comes again. */
export function ReentryFields({ value, onChange }: Props) {
  const { t } = useTranslation()
  return (
    <>
      <Radio.Group
        label={t('scenarios.reentry')}
        value={value.mode}
        onChange={(mode) => onChange({ mode: mode as ReentryMode, min_interval: null })}
      >
        <Stack gap={10} mt={8}>
          {MODES.map((mode) => (
            <Radio
              key={mode}
              value={mode}
              label={t(`scenarios.reentryModes.${mode}`)}
              description={t(`scenarios.reentryTexts.${mode}`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      {value.mode === 'after_exit' && (
        <div style={{ marginTop: 14 }}>
          <span style={{ fontWeight: 500 }}>{t('scenarios.minInterval')}</span>
          <DurationInput
            label={t('scenarios.minInterval')}
            value={value.min_interval}
            onChange={(length) => onChange({ ...value, min_interval: length ?? null })}
          />
        </div>
      )}
    </>
  )
}
