import { Button } from '@mantine/core'
import { IconPlus, IconRoute } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { allItems } from '../api/page'
import { useScenarios, type ScenarioRow } from '../api/scenarios'
import { useSession } from '../api/session'
import { MoreButton } from '../components/MoreButton'
import { PageHead } from '../components/PageHead'
import { SearchField } from '../components/SearchField'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { StatusPill } from '../components/StatusPill'
import { fromNow } from '../format/dates'
import { number } from '../format/numbers'
import { useNow } from '../format/useNow'
import { CreateScenario } from './CreateScenario'

export function ScenariosPage() {
  const { t } = useTranslation()
  const [search, setSearch] = useState('')
  const [creating, setCreating] = useState(false)
  const mayCreate = useSession().data?.user.role !== 'viewer'
  const scenarios = useScenarios(search)
  const rows = allItems(scenarios.data?.pages)
  const button = mayCreate && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      {t('scenarios.create')}
    </Button>
  )
  const content = () => {
    if (scenarios.isPending) return <Waiting />
    if (scenarios.isError) return <LoadFailure error={scenarios.error} retry={scenarios.refetch} />
    if (!rows.length && search) return <EmptyState title={t('scenarios.nothing')} />
    if (!rows.length)
      return (
        <EmptyState icon={IconRoute} title={t('scenarios.empty')} text={t('scenarios.emptyText')}>
          {mayCreate && <Button onClick={() => setCreating(true)}>{t('scenarios.emptyAction')}</Button>}
        </EmptyState>
      )
    return <ScenarioTable rows={rows} />
  }
  return (
    <div className="page">
      <PageHead title={t('scenarios.title')} subtitle={t('scenarios.subtitle')}>
        {button}
      </PageHead>
      <div style={{ marginBottom: 12 }}>
        <SearchField label={t('scenarios.search')} value={search} onSearch={setSearch} />
      </div>
      <div className="panel table-panel">
        {content()}
        <MoreButton query={scenarios} />
      </div>
      {creating && <CreateScenario onClose={() => setCreating(false)} />}
    </div>
  )
}

export function ScenarioTable({ rows }: { rows: ScenarioRow[] }) {
  const { t } = useTranslation()
  const now = useNow()
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('scenarios.name')}</th>
          <th>{t('scenarios.status')}</th>
          <th>{t('scenarios.database')}</th>
          <th className="num">{t('scenarios.inside')}</th>
          <th className="num">{t('scenarios.entered')}</th>
          <th>{t('scenarios.updated')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <td>
              <Link to="/scenarios/$id" params={{ id: String(row.id) }} className="row-link">
                {row.name}
              </Link>
            </td>
            <td>
              <StatusPill active={row.active} published={row.published_number !== null} />
            </td>
            <td>{row.database_name}</td>
            <td className="num">{number(row.inside)}</td>
            <td className="num">{number(row.entered)}</td>
            <td className="soft">{fromNow(row.updated_at, now)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
