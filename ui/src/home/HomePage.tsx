import { Button } from '@mantine/core'
import { IconRoute } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { allItems } from '../api/page'
import { useScenarios } from '../api/scenarios'
import { useStatus } from '../api/status'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { number } from '../format/numbers'
import { ScenarioTable } from '../scenarios/ScenariosPage'

const SHOWN = 8

export function HomePage() {
  const { t } = useTranslation()
  const status = useStatus().data
  const scenarios = useScenarios('')
  const rows = allItems(scenarios.data?.pages)
  const active = rows.filter((row) => row.active)
  const sum = (what: 'inside' | 'entered') => number(rows.reduce((total, row) => total + row[what], 0))
  return (
    <div className="page">
      <PageHead title={t('home.title')} subtitle={status && t('home.version', { version: status.version })} />
      <div className="kpis">
        <Figure label={t('home.active')} value={number(active.length)} note={t('home.ofAll', { count: rows.length })} />
        <Figure label={t('home.inside')} value={sum('inside')} />
        <Figure label={t('home.entered')} value={sum('entered')} />
        <div className="panel padded kpi">
          <div className="label">{t('home.channels')}</div>
          <Route label={t('home.email')} sandbox={status?.sandbox.email} />
          <Route label={t('home.sms')} sandbox={status?.sandbox.sms} />
        </div>
      </div>
      <div className="panel table-panel">
        {scenarios.isPending && <Waiting />}
        {scenarios.isError && <LoadFailure error={scenarios.error} retry={scenarios.refetch} />}
        {scenarios.isSuccess && rows.length === 0 && (
          <EmptyState icon={IconRoute} title={t('scenarios.empty')} text={t('scenarios.emptyText')} />
        )}
        {rows.length > 0 && <ScenarioTable rows={[...active, ...rows.filter((row) => !row.active)].slice(0, SHOWN)} />}
        {scenarios.isSuccess && (
          <div className="more">
            <Button component={Link} to="/scenarios" variant="default" size="compact-md">
              {t('home.all')}
            </Button>
          </div>
        )}
      </div>
    </div>
  )
}

const Figure = ({ label, value, note }: { label: string; value: string; note?: string }) => (
  <div className="panel padded kpi">
    <div className="label">{label}</div>
    <div className="value">{value}</div>
    {note && <div className="note">{note}</div>}
  </div>
)

function Route({ label, sandbox }: { label: string; sandbox: boolean | undefined }) {
  const { t } = useTranslation()
  if (sandbox === undefined) return null
  return (
    <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', marginTop: 8 }}>
      {label}
      <span className={`pill ${sandbox ? 'amber' : 'tone-yes'}`}>
        {t(sandbox ? 'home.toSandbox' : 'home.toPeople')}
      </span>
    </div>
  )
}
