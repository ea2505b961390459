import { Button } from '@mantine/core'
import { IconCalendarClock, IconPlus } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useConnections, usePlans } from '../api/sources'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { moment } from '../format/dates'
import { RunWords } from './RunWords'

/** All scheduled imports, with their next and their last runs. */
export function PlansPage() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const plans = usePlans()
  const none = useConnections().data?.items.length === 0
  const button = (
    <Button
      leftSection={<IconPlus size={16} />}
      disabled={none}
      onClick={() => navigate({ to: '/import-plans/$id', params: { id: 'new' } })}
    >
      {t('area.sources.newPlan')}
    </Button>
  )
  return (
    <div className="page">
      <PageHead title={t('area.sources.plans')} subtitle={t('area.sources.plansText')}>
        {button}
      </PageHead>
      <div className="panel table-panel">
        {plans.isPending && <Waiting rows={3} />}
        {plans.isError && <LoadFailure error={plans.error} retry={plans.refetch} />}
        {plans.data?.items.length === 0 && (
          <EmptyState
            icon={IconCalendarClock}
            title={t('area.sources.noPlans')}
            text={t(none ? 'area.sources.needConnection' : 'area.sources.noPlansText')}
          >
            {none ? (
              <Button component={Link} to="/connections" variant="default">
                {t('area.sources.connections')}
              </Button>
            ) : (
              button
            )}
          </EmptyState>
        )}
        {!!plans.data?.items.length && (
          <table className="table">
            <thead>
              <tr>
                <th>{t('area.sources.name')}</th>
                <th>{t('area.sources.connection')}</th>
                <th>{t('area.sources.next')}</th>
                <th>{t('area.sources.last')}</th>
              </tr>
            </thead>
            <tbody>
              {plans.data.items.map((one) => (
                <tr key={one.id}>
                  <td>
                    <Link to="/import-plans/$id" params={{ id: String(one.id) }} className="row-link">
                      {one.name}
                    </Link>
                  </td>
                  <td className="soft">{one.connection_name}</td>
                  <td>{one.active && one.next_at ? moment(one.next_at) : t('area.sources.stopped')}</td>
                  <td className="soft wrapping">
                    {one.last_run ? (
                      <>
                        {moment(one.last_run.started_at)} · <RunWords run={one.last_run} />
                      </>
                    ) : (
                      t('area.sources.never')
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </div>
  )
}
