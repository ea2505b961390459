import { Button, VisuallyHidden } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePeriods, type Period } from '../api/privacy'
import { PageHead } from '../components/PageHead'
import { LoadFailure, Waiting } from '../components/states'
import { moment } from '../format/dates'
import { number } from '../format/numbers'
import { useLanguage } from '../i18n'
import { PeriodDialog } from './PeriodDialog'

/** How long each kind of data is kept. */
export function PrivacyPage() {
  const { t } = useTranslation()
  const periods = usePeriods(useLanguage())
  const [chosen, choose] = useState<Period>()
  return (
    <div className="page">
      <PageHead title={t('area.privacy.title')} subtitle={t('area.privacy.subtitle')} />
      <div className="panel table-panel">
        {periods.isPending && <Waiting />}
        {periods.isError && <LoadFailure error={periods.error} retry={periods.refetch} />}
        {periods.data && <PeriodTable periods={periods.data} onChange={choose} />}
      </div>
      {chosen && <PeriodDialog period={chosen} onClose={() => choose(undefined)} />}
    </div>
  )
}

function PeriodTable({ periods, onChange }: { periods: Period[]; onChange: (period: Period) => void }) {
  const { t } = useTranslation()
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('area.privacy.kind')}</th>
          <th style={{ width: 130 }}>{t('area.privacy.period')}</th>
          <th style={{ width: 220 }}>{t('area.privacy.last')}</th>
          <th style={{ width: 120 }}>
            <VisuallyHidden>{t('area.privacy.change')}</VisuallyHidden>
          </th>
        </tr>
      </thead>
      <tbody>
        {periods.map((period) => (
          <tr key={period.kind}>
            <td style={{ whiteSpace: 'normal' }}>
              <b>{period.title}</b>
              <div className="soft" style={{ maxWidth: 640, marginTop: 2, whiteSpace: 'normal' }}>
                {period.loses}
              </div>
            </td>
            <td>{period.days === null ? t('area.privacy.forever') : t('area.privacy.days', { count: period.days })}</td>
            <td className="soft">
              {period.done_at
                ? t('area.privacy.gone', {
                    count: period.forgotten ?? 0,
                    shown: number(period.forgotten ?? 0),
                    at: moment(period.done_at),
                  })
                : t('area.privacy.never')}
            </td>
            <td style={{ textAlign: 'right' }}>
              <Button size="compact-sm" variant="default" onClick={() => onChange(period)}>
                {t('area.privacy.change')}
              </Button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
