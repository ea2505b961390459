import { Anchor, Button, Loader, VisuallyHidden } from '@mantine/core'
import { IconDownload, IconFileExport, IconPlus } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { exportAddress, isRunning, useExports, type BulkTask } from '../api/bulk'
import { allItems } from '../api/page'
import { MoreButton } from '../components/MoreButton'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { moment } from '../format/dates'
import { bytes, number } from '../format/numbers'
import { ExportDrawer } from './ExportDrawer'

const route = getRouteApi('/app/exports')

/** Files of profiles: those that were made, and a new one. */
export function ExportsPage() {
  const { t } = useTranslation()
  const exports = useExports()
  const client = useQueryClient()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const tasks = allItems(exports.data?.pages)
  const open = () => navigate({ search: { new: true } })
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={open}>
      {t('area.bulk.newExport')}
    </Button>
  )
  return (
    <div className="page">
      <PageHead title={t('area.bulk.exports')} subtitle={t('area.bulk.exportsText')}>
        {button}
      </PageHead>
      <div className="panel table-panel">
        {exports.isPending && <Waiting />}
        {exports.isError && <LoadFailure error={exports.error} retry={exports.refetch} />}
        {exports.isSuccess && !tasks.length && (
          <EmptyState icon={IconFileExport} title={t('area.bulk.noExports')} text={t('area.bulk.noExportsText')}>
            {button}
          </EmptyState>
        )}
        {tasks.length > 0 && <ExportTable tasks={tasks} />}
        <MoreButton query={exports} />
      </div>
      {search.new && (
        <ExportDrawer
          start={search}
          onClose={() => navigate({ search: {} })}
          onStarted={() => client.invalidateQueries({ queryKey: ['exports'] })}
        />
      )}
    </div>
  )
}

function ExportTable({ tasks }: { tasks: BulkTask[] }) {
  const { t } = useTranslation()
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('area.bulk.name')}</th>
          <th>{t('area.bulk.state')}</th>
          <th style={{ textAlign: 'right' }}>{t('area.bulk.rows')}</th>
          <th style={{ textAlign: 'right' }}>{t('area.bulk.size')}</th>
          <th>{t('area.bulk.when')}</th>
          <th>
            <VisuallyHidden>{t('area.bulk.download')}</VisuallyHidden>
          </th>
        </tr>
      </thead>
      <tbody>
        {tasks.map((task) => (
          <tr key={task.id}>
            <td>{String(task.result?.name ?? task.title)}</td>
            <td>
              {isRunning(task) && <Loader size={12} mr={8} />}
              {t(`area.bulk.states.${task.state}`)}
              {task.error && <div className="soft">{task.error}</div>}
            </td>
            <td style={{ textAlign: 'right' }}>{number(Number(task.result?.rows ?? task.done))}</td>
            <td style={{ textAlign: 'right' }}>{task.result ? bytes(Number(task.result.bytes)) : ''}</td>
            <td className="soft">{moment(task.created_at)}</td>
            <td style={{ textAlign: 'right' }}>
              {task.result?.file ? (
                <Anchor href={exportAddress(task.id)} download size="sm">
                  <IconDownload size={15} style={{ verticalAlign: '-3px', marginRight: 5 }} aria-hidden />
                  {t('area.bulk.download')}
                </Anchor>
              ) : (
                task.state === 'completed' && <span className="soft">{t('area.bulk.fileGone')}</span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
