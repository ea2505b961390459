import { Alert, Button, Group, Stack } from '@mantine/core'
import { IconPlayerPlay, IconTrash } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import { deletePlan, runPlan, useConnections, useForgetSources, usePlan, useRuns, type Plan } from '../api/sources'
import { PageHead } from '../components/PageHead'
import { LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { moment } from '../format/dates'
import { PlanForm } from './PlanForm'
import { RunWords } from './RunWords'

const route = getRouteApi('/app/import-plans/$id')

/** One scheduled import: what it reads and when, and what came of its runs; or a new one. */
export function PlanPage() {
  const { t } = useTranslation()
  const { id } = route.useParams()
  const number = id === 'new' ? undefined : Number(id)
  const plan = usePlan(number)
  const connections = useConnections()
  const databases = useDatabases()
  if (number !== undefined && plan.isError) return <LoadFailure error={plan.error} retry={plan.refetch} />
  if ((number !== undefined && plan.isPending) || !connections.data || !databases.data) return <Waiting />
  const known = number === undefined ? undefined : plan.data
  return (
    <div className="page">
      <PageHead
        title={known?.name ?? t('area.sources.newPlan')}
        above={
          <Link to="/import-plans" className="crumb">
            {t('area.sources.plans')}
          </Link>
        }
      >
        {known && <Actions plan={known} />}
      </PageHead>
      <Stack gap="lg" style={{ maxWidth: 980 }}>
        {known && !known.active && known.last_run?.state === 'failed' && (
          <Alert color="yellow" variant="light">
            {t('area.sources.stoppedWhy')}
          </Alert>
        )}
        <PlanForm
          key={known?.revision ?? 'new'}
          known={known}
          connections={connections.data.items}
          databases={databases.data}
        />
        {known && <Runs id={known.id} />}
      </Stack>
    </div>
  )
}

function Actions({ plan }: { plan: Plan }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const client = useQueryClient()
  const forget = useForgetSources()
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  const remove = () =>
    attempt(async () => {
      await deletePlan(plan.id)
      await navigate({ to: '/import-plans' })
      client.removeQueries({ queryKey: ['import-plan', plan.id] })
      await forget()
    })
  const run = () =>
    attempt(async () => {
      await runPlan(plan.id)
      await forget()
    })
  return (
    <Group gap={8}>
      <Button variant="default" leftSection={<IconPlayerPlay size={16} />} onClick={run}>
        {t('area.sources.runNow')}
      </Button>
      <Button variant="default" px={10} aria-label={t('area.sources.delete')} onClick={remove}>
        <IconTrash size={16} />
      </Button>
    </Group>
  )
}

function Runs({ id }: { id: number }) {
  const { t } = useTranslation()
  const runs = useRuns(id)
  return (
    <section className="panel table-panel" aria-label={t('area.sources.runs')}>
      <h2 style={{ padding: '14px 20px 0', margin: 0 }}>{t('area.sources.runs')}</h2>
      {runs.isPending && <Waiting rows={2} />}
      {runs.isError && <LoadFailure error={runs.error} retry={runs.refetch} />}
      {runs.data?.items.length === 0 && (
        <p style={{ padding: '0 20px 14px', color: 'var(--ink2)' }}>{t('area.sources.noRuns')}</p>
      )}
      {!!runs.data?.items.length && (
        <table className="table">
          <thead>
            <tr>
              <th>{t('area.sources.started')}</th>
              <th>{t('area.sources.state')}</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {runs.data.items.map((one) => (
              <tr key={one.id}>
                <td>{moment(one.started_at)}</td>
                <td className="wrapping">
                  <RunWords run={one} />
                </td>
                <td style={{ textAlign: 'right' }}>
                  {!!(one.counts as Record<string, number> | null)?.rejected && one.task_id && (
                    <a href={`/api/v2/imports/${one.task_id}/rejected.csv`} download>
                      {t('area.imports.download')}
                    </a>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
