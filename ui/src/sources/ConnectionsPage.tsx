import { ActionIcon, Button, Menu } from '@mantine/core'
import { IconDots, IconPlugConnected, IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useSession } from '../api/session'
import {
  deleteConnection,
  testConnection,
  useConnectionKinds,
  useConnections,
  useForgetSources,
  type Connection,
} from '../api/sources'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { useLanguage } from '../i18n'
import { ConnectionDrawer } from './ConnectionDrawer'

const placeOf = ({ settings }: Connection) =>
  [settings.host, settings.url, settings.endpoint, settings.bucket, settings.database].filter(Boolean).join(' · ')

/** Outside databases and file servers. */
export function ConnectionsPage() {
  const { t } = useTranslation()
  const language = useLanguage()
  const forget = useForgetSources()
  const connections = useConnections()
  const kinds = useConnectionKinds()
  const master = useSession().data?.user.role === 'master'
  const [asked, ask] = useState<Connection | 'new'>()
  const titleOf = (code: string) => kinds.data?.find((one) => one.code === code)?.title[language] ?? code
  const test = async (one: Connection) => {
    try {
      const { found } = await testConnection(one.id)
      const names = [found.tables, found.files].flat().filter(Boolean).slice(0, 8).join(', ')
      toast.good(names ? t('area.sources.worksFound', { found: names }) : t('area.sources.works'))
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  const remove = async (one: Connection) => {
    try {
      await deleteConnection(one.id)
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  const button = master && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => ask('new')}>
      {t('area.sources.newConnection')}
    </Button>
  )
  return (
    <div className="page">
      <PageHead
        title={t('area.sources.connections')}
        subtitle={master ? t('area.sources.connectionsText') : t('area.sources.onlyMasters')}
      >
        {button}
      </PageHead>
      <div className="panel table-panel">
        {connections.isPending && <Waiting rows={3} />}
        {connections.isError && <LoadFailure error={connections.error} retry={connections.refetch} />}
        {connections.data?.items.length === 0 && (
          <EmptyState
            icon={IconPlugConnected}
            title={t('area.sources.noConnections')}
            text={t('area.sources.noConnectionsText')}
          >
            {button}
          </EmptyState>
        )}
        {!!connections.data?.items.length && (
          <table className="table">
            <thead>
              <tr>
                <th>{t('area.sources.name')}</th>
                <th>{t('area.sources.kind')}</th>
                <th>{t('area.sources.place')}</th>
                <th aria-label={t('area.people.actions')} />
              </tr>
            </thead>
            <tbody>
              {connections.data.items.map((one) => (
                <tr key={one.id}>
                  <td>{one.name}</td>
                  <td>{titleOf(one.kind)}</td>
                  <td className="soft">{placeOf(one)}</td>
                  <td style={{ textAlign: 'right' }}>
                    <Button size="compact-sm" variant="subtle" onClick={() => test(one)}>
                      {t('area.sources.test')}
                    </Button>
                    {master && (
                      <Menu position="bottom-end">
                        <Menu.Target>
                          <ActionIcon
                            variant="subtle"
                            color="gray"
                            aria-label={t('area.people.actionsOf', { contact: one.name })}
                          >
                            <IconDots size={16} />
                          </ActionIcon>
                        </Menu.Target>
                        <Menu.Dropdown>
                          <Menu.Item onClick={() => ask(one)}>{t('area.sources.edit')}</Menu.Item>
                          <Menu.Item color="red" onClick={() => remove(one)}>
                            {t('area.sources.delete')}
                          </Menu.Item>
                        </Menu.Dropdown>
                      </Menu>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {asked && kinds.data && (
        <ConnectionDrawer
          kinds={kinds.data}
          known={asked === 'new' ? undefined : asked}
          onClose={() => ask(undefined)}
        />
      )}
    </div>
  )
}
