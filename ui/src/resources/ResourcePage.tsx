import { Badge, Button, Menu, Tabs, Tooltip } from '@mantine/core'
import { IconArchive, IconCopy, IconDots, IconUsers } from '@tabler/icons-react'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import { archiveResource, copyResource, useForgetResources, useResource, type FullResource } from '../api/resources'
import { PageHead } from '../components/PageHead'
import { LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { CategoriesTab } from './CategoriesTab'
import { OwnFieldsTab } from './OwnFieldsTab'
import { ResourceForm } from './ResourceForm'

const route = getRouteApi('/app/resources/$id')

/** One resource: its settings, its categories, its own fields, and the scenarios that write to its subscribers. */
export function ResourcePage() {
  const { t } = useTranslation()
  const id = Number(route.useParams().id)
  const { tab = 'settings' } = route.useSearch()
  const navigate = route.useNavigate()
  const resource = useResource(id)
  if (resource.isPending) return <Waiting />
  if (resource.isError) return <LoadFailure error={resource.error} retry={resource.refetch} />
  const known = resource.data
  return (
    <div className="page">
      <PageHead
        title={known.name}
        subtitle={known.description}
        above={
          <Link to="/resources" className="crumb">
            {t('area.resources.title')}
          </Link>
        }
      >
        {known.archived_at && (
          <Badge variant="light" color="gray" tt="none">
            {t('area.resources.archived')}
          </Badge>
        )}
        <Actions resource={known} />
      </PageHead>
      <Tabs
        value={tab}
        onChange={(next) => navigate({ search: { tab: next as typeof tab }, replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="settings">{t('area.resources.settings')}</Tabs.Tab>
          <Tabs.Tab value="categories">{t('area.resources.categories')}</Tabs.Tab>
          <Tabs.Tab value="fields">{t('area.resources.fields')}</Tabs.Tab>
          <Tabs.Tab value="uses">{t('area.resources.uses')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="settings">
          <ResourceForm key={JSON.stringify(known)} resource={known} />
        </Tabs.Panel>
        <Tabs.Panel value="categories">
          <CategoriesTab key={JSON.stringify(known.categories)} resource={known} />
        </Tabs.Panel>
        <Tabs.Panel value="fields">
          <OwnFieldsTab key={JSON.stringify(known.fields)} resource={known} />
        </Tabs.Panel>
        <Tabs.Panel value="uses">
          <Uses resource={known} />
        </Tabs.Panel>
      </Tabs>
    </div>
  )
}

function Actions({ resource }: { resource: FullResource }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetResources()
  const databases = useDatabases()
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work()
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  const copy = () =>
    attempt(async () => {
      const made = await copyResource(resource.id)
      await navigate({ to: '/resources/$id', params: { id: String(made.id) } })
    })
  const database = resource.database_ids[0] ?? databases.data?.[0]?.id
  const rules = JSON.stringify({ all: [{ rule: 'subscription', resource: resource.name, state: ['subscribed'] }] })
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconUsers size={16} />}
        disabled={database === undefined}
        onClick={() => navigate({ to: '/profiles', search: { database, rules } })}
      >
        {t('area.resources.subscribers')}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" px={10} aria-label={t('area.people.actions')}>
            <IconDots size={16} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconCopy size={15} />} onClick={copy}>
            {t('area.resources.copy')}
          </Menu.Item>
          <Tooltip label={t('area.resources.archiveText')} multiline w={280} disabled={!!resource.archived_at}>
            <Menu.Item
              leftSection={<IconArchive size={15} />}
              onClick={() => attempt(() => archiveResource(resource.id, !resource.archived_at))}
            >
              {t(resource.archived_at ? 'area.resources.restore' : 'area.resources.archive')}
            </Menu.Item>
          </Tooltip>
        </Menu.Dropdown>
      </Menu>
    </>
  )
}

function Uses({ resource }: { resource: FullResource }) {
  const { t } = useTranslation()
  if (resource.scenarios.length === 0)
    return (
      <p className="panel padded" style={{ color: 'var(--ink2)' }}>
        {t('area.resources.noUses')}
      </p>
    )
  return (
    <div className="panel table-panel">
      <table className="table">
        <tbody>
          {resource.scenarios.map((one) => (
            <tr key={one.id}>
              <td>
                <Link to="/scenarios/$id" params={{ id: String(one.id) }} className="row-link">
                  {one.name}
                </Link>
              </td>
              <td className="soft">{t(one.active ? 'area.resources.runs' : 'area.resources.rests')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
