import { IconChartBar } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useDays } from '../api/segments'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { day } from '../format/dates'
import { number } from '../format/numbers'

/** Entries and exits of the last thirty days, as bars beside their numbers. */
export function HistoryTab({ id }: { id: number }) {
  const { t } = useTranslation()
  const days = useDays(id)
  if (days.isPending) return <Waiting />
  if (days.isError) return <LoadFailure error={days.error} retry={days.refetch} />
  const most = Math.max(1, ...days.data.flatMap(({ entered, left }) => [entered, left]))
  return (
    <div className="panel table-panel">
      {days.data.length === 0 ? (
        <EmptyState icon={IconChartBar} title={t('area.segments.noDays')} />
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th style={{ width: 160 }} />
              <th>{t('area.segments.daysEntered')}</th>
              <th>{t('area.segments.daysLeft')}</th>
            </tr>
          </thead>
          <tbody>
            {[...days.data].reverse().map((one) => (
              <tr key={one.day}>
                <td>{day(one.day)}</td>
                <td>
                  <Bar share={one.entered / most} color="var(--yes)" value={one.entered} />
                </td>
                <td>
                  <Bar share={one.left / most} color="var(--no)" value={one.left} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

function Bar({ share, color, value }: { share: number; color: string; value: number }) {
  return (
    <span style={{ display: 'flex', alignItems: 'center', gap: 10 }}>
      <span style={{ width: `${share * 60}%`, height: 10, background: color, borderRadius: 4, opacity: 0.75 }} />
      {number(value)}
    </span>
  )
}
