import { Anchor, Button } from '@mantine/core'
import { IconArrowLeft, IconPlus } from '@tabler/icons-react'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { isOver, useImport } from '../api/imports'
import { PageHead } from '../components/PageHead'
import { LoadFailure, Waiting } from '../components/states'
import { ImportList } from './ImportList'
import { Rejections } from './Rejections'
import { Report } from './Report'
import { Running, useProgress } from './Running'
import { Wizard } from './Wizard'

const route = getRouteApi('/app/imports')

/** Past imports; a new one, step by step; or one of them with its report. */
export function ImportPage() {
  const { t } = useTranslation()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const begin = () => navigate({ search: { new: true } })
  if (search.task !== undefined) return <OneImport key={search.task} id={search.task} />
  if (search.new)
    return (
      <div className="page" style={{ maxWidth: 1180 }}>
        <PageHead title={t('imports.title')} above={<BackLink />} />
        <Wizard
          database={search.database}
          onStarted={(task) => navigate({ search: { task } })}
          onLeave={() => navigate({ search: {} })}
        />
      </div>
    )
  return (
    <div className="page">
      <PageHead title={t('area.imports.title')} subtitle={t('area.imports.subtitle')}>
        <Button leftSection={<IconPlus size={16} />} onClick={begin}>
          {t('area.imports.new')}
        </Button>
      </PageHead>
      <ImportList onNew={begin} />
    </div>
  )
}

function BackLink() {
  const { t } = useTranslation()
  return (
    <Anchor component={Link} to="/imports" size="sm">
      <IconArrowLeft size={14} style={{ verticalAlign: '-2px' }} aria-hidden /> {t('area.imports.title')}
    </Anchor>
  )
}

function OneImport({ id }: { id: number }) {
  const { t } = useTranslation()
  const navigate = route.useNavigate()
  const task = useImport(id)
  useProgress(id, task.data)
  const title = task.data?.title || t('area.imports.clipboard')
  return (
    <div className="page" style={{ maxWidth: 980 }}>
      <PageHead
        title={title}
        above={<BackLink />}
        subtitle={task.data && [task.data.database_name, task.data.by].filter(Boolean).join(' · ')}
      />
      {task.isError && <LoadFailure error={task.error} retry={task.refetch} />}
      {task.isPending && <Waiting rows={3} />}
      {task.data && (
        <div className="panel padded">
          {isOver(task.data) ? <Report task={task.data} /> : <Running task={task.data} />}
        </div>
      )}
      {task.data && isOver(task.data) && (
        <>
          {!!task.data.result?.rejected && <Rejections id={id} />}
          <div style={{ display: 'flex', gap: 8, marginTop: 16 }}>
            <Button variant="default" onClick={() => navigate({ search: { new: true } })}>
              {t('imports.again')}
            </Button>
            <Button component={Link} to="/profiles">
              {t('imports.profiles')}
            </Button>
          </div>
        </>
      )}
    </div>
  )
}
