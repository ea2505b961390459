import { Button, Group } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { countDatabase, useDatabaseFigures, useForgetDatabases } from '../api/databases'
import type { Shapes } from '../api/client'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { day, moment } from '../format/dates'
import { number } from '../format/numbers'

type Known = Shapes['DatabaseStatistics']
const DAY_MS = 86_400_000
const DAYS = 90

/** How many people a database has, how they stand, and how it grew. */
export function FiguresTab({ id }: { id: number }) {
  const { t } = useTranslation()
  const figures = useDatabaseFigures(id)
  const forget = useForgetDatabases()
  const count = useMutation({ mutationFn: () => countDatabase(id), onSuccess: forget })
  if (figures.isPending) return <Waiting />
  if (figures.isError) return <LoadFailure error={figures.error} retry={figures.refetch} />
  const { known, counting } = figures.data
  const button = (
    <Button
      variant="default"
      leftSection={<IconRefresh size={16} />}
      loading={!!counting || count.isPending}
      onClick={() => count.mutate()}
    >
      {t('area.databases.count')}
    </Button>
  )
  if (!known)
    return (
      <EmptyState title={t('area.databases.notCounted')} text={t('area.databases.notCountedText')}>
        {button}
      </EmptyState>
    )
  return (
    <>
      <Group justify="space-between" mb="md">
        <span style={{ color: 'var(--ink2)' }}>{t('area.databases.counted', { when: moment(known.counted_at) })}</span>
        {button}
      </Group>
      <Kpis known={known} />
      <Growth known={known} />
      <Subscriptions known={known} />
    </>
  )
}

function Kpis({ known }: { known: Known }) {
  const { t } = useTranslation()
  return (
    <div className="kpis">
      <div className="panel padded kpi">
        <div className="label">{t('area.databases.people')}</div>
        <div className="value">{number(known.profiles)}</div>
      </div>
      {Object.entries(known.by_status).map(([status, count]) => (
        <div className="panel padded kpi" key={status}>
          <div className="label">
            {t('area.databases.globally')}: {t(`subscription.${status}`)}
          </div>
          <div className="value">{number(count)}</div>
        </div>
      ))}
    </div>
  )
}

function Growth({ known }: { known: Known }) {
  const { t } = useTranslation()
  const byDay = new Map(known.growth.map((one) => [one.day, one.count]))
  const last = Date.parse(known.counted_at)
  const days = Array.from({ length: DAYS }, (_, index) =>
    new Date(last - (DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10),
  )
  const most = Math.max(1, ...byDay.values())
  const total = known.growth.reduce((sum, one) => sum + one.count, 0)
  return (
    <section className="panel padded" style={{ marginBottom: 14 }} aria-label={t('area.databases.growth')}>
      <h2>{t('area.databases.growth')}</h2>
      <div
        className="day-bars"
        role="img"
        aria-label={t('area.databases.growthTold', { count: total, shown: number(total) })}
      >
        {days.map((one) => (
          <i
            key={one}
            title={`${day(one)}: ${number(byDay.get(one) ?? 0)}`}
            style={{ height: `${Math.max(byDay.has(one) ? 4 : 1, (100 * (byDay.get(one) ?? 0)) / most)}%` }}
          />
        ))}
      </div>
      <Group justify="space-between" style={{ color: 'var(--ink3)', fontSize: 12 }}>
        <span>{day(days[0]!)}</span>
        <span>{t('area.databases.growthTold', { count: total, shown: number(total) })}</span>
        <span>{day(days[DAYS - 1]!)}</span>
      </Group>
    </section>
  )
}

function Subscriptions({ known }: { known: Known }) {
  const { t } = useTranslation()
  return (
    <div className="panel table-panel">
      {known.subscriptions.length === 0 ? (
        <p style={{ padding: '18px 20px', margin: 0, color: 'var(--ink2)' }}>{t('area.databases.noSubscriptions')}</p>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th>{t('area.databases.resource')}</th>
              <th>{t('area.databases.channel')}</th>
              <th>{t('area.databases.status')}</th>
              <th className="num">{t('area.databases.subscriptions')}</th>
            </tr>
          </thead>
          <tbody>
            {known.subscriptions.map((row) => (
              <tr key={`${row.resource_id} ${row.channel} ${row.status}`}>
                <td>{row.resource}</td>
                <td>{t(`channel.${row.channel}`)}</td>
                <td>{t(`subscription.${row.status}`)}</td>
                <td className="num">{number(row.count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}
