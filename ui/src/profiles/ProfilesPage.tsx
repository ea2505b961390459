import { Button, Select } from '@mantine/core'
import { IconDatabase, IconUpload, IconUsers } from '@tabler/icons-react'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useDatabases } from '../api/lookups'
import { allItems } from '../api/page'
import { useProfiles, type ProfileRow } from '../api/profiles'
import { Initials } from '../components/Initials'
import { MoreButton } from '../components/MoreButton'
import { PageHead } from '../components/PageHead'
import { SearchField } from '../components/SearchField'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { day } from '../format/dates'
import { emailOf, nameOf, phoneOf } from './profileName'
import { SubscriptionPill } from './SubscriptionPill'

const route = getRouteApi('/app/profiles')

export function ProfilesPage() {
  const { t } = useTranslation()
  const databases = useDatabases()
  const { database: wanted, search = '' } = route.useSearch()
  const navigate = route.useNavigate()
  const database = databases.data?.find(({ id }) => id === wanted) ?? databases.data?.[0]
  if (databases.isError) return <LoadFailure error={databases.error} retry={databases.refetch} />
  if (databases.isSuccess && !database)
    return <EmptyState icon={IconDatabase} title={t('profiles.noDatabase')} text={t('profiles.noDatabaseText')} />
  return (
    <div className="page">
      <PageHead title={t('profiles.title')} subtitle={database && t('profiles.subtitle', { database: database.name })}>
        <Button component={Link} to="/imports" variant="default" leftSection={<IconUpload size={16} />}>
          {t('profiles.import')}
        </Button>
      </PageHead>
      <div style={{ display: 'flex', gap: 8, marginBottom: 12 }}>
        <SearchField
          label={t('profiles.search')}
          value={search}
          onSearch={(text) => navigate({ search: (old) => ({ ...old, search: text || undefined }), replace: true })}
        />
        <Select
          aria-label={t('profiles.database')}
          leftSection={<IconDatabase size={15} />}
          allowDeselect={false}
          data={databases.data?.map(({ id, name }) => ({ value: String(id), label: name })) ?? []}
          value={database ? String(database.id) : null}
          onChange={(id) => navigate({ search: (old) => ({ ...old, database: Number(id) }) })}
        />
      </div>
      <ProfileList database={database?.id} search={search} />
    </div>
  )
}

function ProfileList({ database, search }: { database: number | undefined; search: string }) {
  const { t } = useTranslation()
  const profiles = useProfiles(database, search)
  const rows = allItems(profiles.data?.pages)
  const content = () => {
    if (profiles.isPending) return <Waiting />
    if (profiles.isError) return <LoadFailure error={profiles.error} retry={profiles.refetch} />
    if (rows.length) return <ProfileTable rows={rows} />
    if (search) return <EmptyState icon={IconUsers} title={t('profiles.nothing')} />
    return (
      <EmptyState icon={IconUsers} title={t('profiles.empty')} text={t('profiles.emptyText')}>
        <Button component={Link} to="/imports">
          {t('profiles.import')}
        </Button>
      </EmptyState>
    )
  }
  return (
    <div className="panel table-panel">
      {content()}
      <MoreButton query={profiles} />
    </div>
  )
}

function ProfileTable({ rows }: { rows: ProfileRow[] }) {
  const { t } = useTranslation()
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('profiles.name')}</th>
          <th>{t('profiles.email')}</th>
          <th>{t('profiles.phone')}</th>
          <th>{t('profiles.city')}</th>
          <th>{t('profiles.status')}</th>
          <th>{t('profiles.created')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const name = nameOf(row.fields)
          const shown = name || emailOf(row.fields) || phoneOf(row.fields) || row.id
          return (
            <tr key={row.id}>
              <td>
                <span style={{ display: 'flex', alignItems: 'center', gap: 10 }}>
                  <Initials size={28} name={shown} />
                  <Link to="/profiles/$id" params={{ id: row.id }} className="row-link">
                    {name || t('profiles.unnamed')}
                  </Link>
                </span>
              </td>
              <td>{emailOf(row.fields)}</td>
              <td>{phoneOf(row.fields)}</td>
              <td>{typeof row.fields._city === 'string' ? row.fields._city : ''}</td>
              <td>
                <SubscriptionPill status={row.status} />
              </td>
              <td className="soft">{day(row.created_at)}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
