import { Alert, Loader, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconBulb } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useCount, usePreview, useUsage, type Count, type Reached, type Question, type Segment } from '../api/segments'
import { Initials } from '../components/Initials'
import { number } from '../format/numbers'
import { useLanguage } from '../i18n'

const SETTLED_MS = 500

/** How many fit while the rules are edited, who they are, and whom one can write to. */
export function CountPanel({ question, segment }: { question: Question; segment: Segment | undefined }) {
  const { t } = useTranslation()
  const [settled] = useDebouncedValue(question, SETTLED_MS)
  const count = useCount(settled, useLanguage(), true)
  const preview = usePreview(settled, !count.isError)
  return (
    <aside className="panel padded" style={{ position: 'sticky', top: 16 }} aria-live="polite">
      <Text size="sm" c="var(--ink2)">
        {t('area.segments.count')} {count.isFetching && <Loader size={12} ml={6} />}
      </Text>
      {count.isError && (
        <Alert color="red" variant="light" mt={8}>
          {errorText(count.error)}
        </Alert>
      )}
      {count.data && !count.isError && <Number count={count.data} />}
      {!count.data && !count.isError && <Text size="sm">{t('area.segments.counting')}</Text>}
      {preview.data && !count.isError && (
        <>
          <Head>{t('area.segments.reach')}</Head>
          <Reach reach={preview.data.reach ?? null} />
          <Head>{t('area.segments.people')}</Head>
          {preview.data.people?.length === 0 && <Text size="sm">{t('area.segments.noPeople')}</Text>}
          {preview.data.people?.slice(0, 8).map((person) => {
            const shown = person.name ?? person.email ?? person.phone ?? person.id
            return (
              <Link key={person.id} to="/profiles/$id" params={{ id: person.id }} className="person-line">
                <Initials size={24} name={shown} />
                <span className="side-name">{shown}</span>
              </Link>
            )
          })}
        </>
      )}
      {!!count.data?.hints.length && (
        <>
          <Head>{t('area.segments.hints')}</Head>
          {count.data.hints.map((hint) => (
            <Text key={hint} size="sm" c="var(--ink2)" mb={6}>
              <IconBulb size={14} style={{ verticalAlign: '-2px' }} aria-hidden /> {hint}
            </Text>
          ))}
        </>
      )}
      {segment && <UsedBy id={segment.id} />}
    </aside>
  )
}

const Head = ({ children }: { children: string }) => (
  <Text size="sm" fw={600} mt={16} mb={6}>
    {children}
  </Text>
)

function Number({ count }: { count: Count }) {
  const { t } = useTranslation()
  return (
    <>
      <div style={{ fontSize: 30, fontWeight: 680, lineHeight: 1.25 }}>
        {count.exact ? '' : '≈ '}
        {number(count.number)}
      </div>
      <Text size="sm" c="var(--ink2)">
        {t('area.segments.countOf', { total: number(count.total) })}
      </Text>
      <Text size="xs" c="var(--ink2)">
        {count.exact
          ? t('area.segments.exact', { ms: number(count.milliseconds) })
          : t('area.segments.estimate', { low: number(count.low), high: number(count.high) })}
      </Text>
    </>
  )
}

function Reach({ reach }: { reach: Reached[] | null }) {
  const { t } = useTranslation()
  if (!reach) return <Text size="sm">{t('area.segments.reachUnknown')}</Text>
  if (!reach.length) return <Text size="sm">0</Text>
  return reach.map(({ channel, resource_id, resource_name, people }) => (
    <div
      key={`${channel} ${resource_id}`}
      style={{ display: 'flex', justifyContent: 'space-between', gap: 8, fontSize: 13.5 }}
    >
      <span style={resource_id === null ? undefined : { paddingLeft: 14, color: 'var(--ink2)' }}>
        {resource_name ?? t(`channel.${channel}`)}
      </span>
      {resource_id === null ? <b>{number(people)}</b> : number(people)}
    </div>
  ))
}

function UsedBy({ id }: { id: number }) {
  const { t } = useTranslation()
  const usage = useUsage(id)
  if (!usage.data) return null
  return (
    <>
      <Head>{t('area.segments.usedBy')}</Head>
      {usage.data.length === 0 && <Text size="sm">{t('area.segments.notUsed')}</Text>}
      {usage.data.map((one) => (
        <Text key={`${one.kind}${one.id}`} size="sm">
          {t(`area.segments.usage.${one.kind}`)}:{' '}
          <Link to={one.kind === 'scenario' ? '/scenarios/$id' : '/segments/$id'} params={{ id: String(one.id) }}>
            {one.name}
          </Link>
        </Text>
      ))}
    </>
  )
}
