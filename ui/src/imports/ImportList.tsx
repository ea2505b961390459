import { Button, Loader } from '@mantine/core'
import { IconFileImport } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { isOver, useImports, type Import } from '../api/imports'
import { allItems } from '../api/page'
import { MoreButton } from '../components/MoreButton'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { moment } from '../format/dates'
import { number } from '../format/numbers'

const COUNTS = ['created', 'updated', 'unchanged', 'rejected'] as const

/** Imports that were and are, newest first. */
export function ImportList({ onNew }: { onNew: () => void }) {
  const { t } = useTranslation()
  const imports = useImports()
  const tasks = allItems(imports.data?.pages)
  return (
    <div className="panel table-panel">
      {imports.isPending && <Waiting />}
      {imports.isError && <LoadFailure error={imports.error} retry={imports.refetch} />}
      {imports.isSuccess && !tasks.length && (
        <EmptyState icon={IconFileImport} title={t('area.imports.none')} text={t('area.imports.noneText')}>
          <Button onClick={onNew}>{t('area.imports.new')}</Button>
        </EmptyState>
      )}
      {tasks.length > 0 && (
        <table className="table">
          <thead>
            <tr>
              <th>{t('imports.file')}</th>
              <th>{t('imports.database')}</th>
              <th>{t('area.imports.state')}</th>
              {COUNTS.map((word) => (
                <th key={word} className="num">
                  {t(`area.imports.counts.${word}`)}
                </th>
              ))}
              <th>{t('area.imports.when')}</th>
            </tr>
          </thead>
          <tbody>
            {tasks.map((task) => (
              <ImportRow key={task.id} task={task} />
            ))}
          </tbody>
        </table>
      )}
      <MoreButton query={imports} />
    </div>
  )
}

function ImportRow({ task }: { task: Import }) {
  const { t } = useTranslation()
  return (
    <tr>
      <td style={{ maxWidth: 320 }}>
        <Link to="/imports" search={{ task: task.id }} className="import-name">
          {task.title || t('area.imports.clipboard')}
        </Link>
        {task.by && <div className="soft">{task.by}</div>}
      </td>
      <td>{task.database_name ?? `#${task.database}`}</td>
      <td>
        {!isOver(task) && <Loader size={12} mr={8} />}
        {t(`area.imports.states.${task.state}`)}
      </td>
      {COUNTS.map((word) => (
        <td key={word} className="num">
          {task.result?.[word] === undefined ? '' : number(task.result[word])}
        </td>
      ))}
      <td className="soft" style={{ whiteSpace: 'nowrap' }}>
        {moment(task.created_at)}
      </td>
    </tr>
  )
}
