import { Badge, Button, Select } from '@mantine/core'
import { IconAlertTriangle, IconPlus, IconUsersGroup } from '@tabler/icons-react'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useDatabases } from '../api/lookups'
import { allItems } from '../api/page'
import { useSegments, type Kind, type Segment } from '../api/segments'
import { MoreButton } from '../components/MoreButton'
import { PageHead } from '../components/PageHead'
import { SearchField } from '../components/SearchField'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { moment } from '../format/dates'
import { number } from '../format/numbers'
import { useLanguage } from '../i18n'

const route = getRouteApi('/app/segments')
export const KINDS: Kind[] = ['dynamic', 'updatable', 'static']
const COLORS: Record<Kind, string> = { dynamic: 'blue', updatable: 'teal', static: 'gray' }

export function KindBadge({ kind }: { kind: Kind }) {
  const { t } = useTranslation()
  return (
    <Badge variant="light" color={COLORS[kind]} radius="sm" tt="none" fw={560}>
      {t(`area.segments.kinds.${kind}`)}
    </Badge>
  )
}

export function SegmentsPage() {
  const { t } = useTranslation()
  const { search = '', kind } = route.useSearch()
  const navigate = route.useNavigate()
  const segments = useSegments(search, kind, useLanguage())
  const rows = allItems(segments.data?.pages)
  const button = (
    <Button component={Link} to="/segments/new" leftSection={<IconPlus size={16} />}>
      {t('area.segments.create')}
    </Button>
  )
  return (
    <div className="page">
      <PageHead title={t('area.segments.title')} subtitle={t('area.segments.subtitle')}>
        {button}
      </PageHead>
      <div style={{ display: 'flex', gap: 8, marginBottom: 12 }}>
        <SearchField
          label={t('area.segments.search')}
          value={search}
          onSearch={(text) => navigate({ search: (old) => ({ ...old, search: text || undefined }), replace: true })}
        />
        <Select
          aria-label={t('area.segments.kind')}
          placeholder={t('area.segments.anyKind')}
          clearable
          data={KINDS.map((word) => ({ value: word, label: t(`area.segments.kinds.${word}`) }))}
          value={kind ?? null}
          onChange={(word) => navigate({ search: (old) => ({ ...old, kind: (word as Kind | null) ?? undefined }) })}
        />
      </div>
      <div className="panel table-panel">
        {segments.isPending && <Waiting />}
        {segments.isError && <LoadFailure error={segments.error} retry={segments.refetch} />}
        {segments.isSuccess && !rows.length && (search || kind) && (
          <EmptyState icon={IconUsersGroup} title={t('area.segments.nothing')} />
        )}
        {segments.isSuccess && !rows.length && !search && !kind && (
          <EmptyState icon={IconUsersGroup} title={t('area.segments.empty')} text={t('area.segments.emptyText')}>
            {button}
          </EmptyState>
        )}
        {rows.length > 0 && <SegmentTable rows={rows} />}
        <MoreButton query={segments} />
      </div>
    </div>
  )
}

function SegmentTable({ rows }: { rows: Segment[] }) {
  const { t } = useTranslation()
  const databases = useDatabases()
  const databaseName = (id: number) => databases.data?.find((found) => found.id === id)?.name ?? ''
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('area.segments.name')}</th>
          <th>{t('area.segments.kind')}</th>
          <th>{t('area.segments.database')}</th>
          <th style={{ textAlign: 'right' }}>{t('area.segments.size')}</th>
          <th>{t('area.segments.calculated')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((segment) => (
          <tr key={segment.id}>
            <td style={{ whiteSpace: 'normal' }}>
              <Link to="/segments/$id" params={{ id: String(segment.id) }} className="row-link">
                {segment.name}
              </Link>
              {segment.summary && (
                <div
                  className="soft"
                  style={{ maxWidth: 520, overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}
                >
                  {segment.summary}
                </div>
              )}
            </td>
            <td>
              <KindBadge kind={segment.kind} />
            </td>
            <td>{databaseName(segment.database_id)}</td>
            <td style={{ textAlign: 'right' }}>{segment.size === null ? '–' : number(segment.size)}</td>
            <td className="soft">
              <Calculated segment={segment} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

export function Calculated({ segment }: { segment: Segment }) {
  const { t } = useTranslation()
  if (segment.kind !== 'updatable') return null
  if (segment.error)
    return (
      <span title={segment.error} style={{ color: 'var(--warn)' }}>
        <IconAlertTriangle size={14} style={{ verticalAlign: '-2px' }} aria-hidden /> {t('area.segments.failed')}
      </span>
    )
  if (!segment.calculated_at) return t('area.segments.never')
  const seconds = ((segment.calculation_ms ?? 0) / 1000).toFixed(1)
  return `${moment(segment.calculated_at)}, ${t('area.segments.took', { seconds })}`
}
