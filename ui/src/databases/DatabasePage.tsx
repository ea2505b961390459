import { Button, Tabs } from '@mantine/core'
import { IconUpload, IconUsers } from '@tabler/icons-react'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useDatabase } from '../api/databases'
import { PageHead } from '../components/PageHead'
import { LoadFailure, Waiting } from '../components/states'
import { FieldsTab } from './FieldsTab'
import { FiguresTab } from './FiguresTab'
import { SettingsTab } from './SettingsTab'

const route = getRouteApi('/app/databases/$id')

/** One profile database: its fields, its figures and its settings. */
export function DatabasePage() {
  const { t } = useTranslation()
  const id = Number(route.useParams().id)
  const { tab = 'fields' } = route.useSearch()
  const navigate = route.useNavigate()
  const toPage = useNavigate()
  const database = useDatabase(id)
  if (database.isPending) return <Waiting />
  if (database.isError) return <LoadFailure error={database.error} retry={database.refetch} />
  const known = database.data
  return (
    <div className="page">
      <PageHead
        title={known.name}
        subtitle={known.description}
        above={
          <Link to="/databases" className="crumb">
            {t('area.databases.title')}
          </Link>
        }
      >
        <Button
          variant="default"
          leftSection={<IconUsers size={16} />}
          onClick={() => toPage({ to: '/profiles', search: { database: id } })}
        >
          {t('area.databases.toProfiles')}
        </Button>
        <Button variant="default" leftSection={<IconUpload size={16} />} component={Link} to="/imports">
          {t('area.databases.toImports')}
        </Button>
      </PageHead>
      <Tabs
        value={tab}
        onChange={(next) => navigate({ search: { tab: next as typeof tab }, replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="fields">{t('area.databases.fields')}</Tabs.Tab>
          <Tabs.Tab value="figures">{t('area.databases.figures')}</Tabs.Tab>
          <Tabs.Tab value="settings">{t('area.databases.settings')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="fields">
          <FieldsTab database={known} />
        </Tabs.Panel>
        <Tabs.Panel value="figures">
          <FiguresTab id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <SettingsTab key={JSON.stringify(known)} database={known} />
        </Tabs.Panel>
      </Tabs>
    </div>
  )
}
