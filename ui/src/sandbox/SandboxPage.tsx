import { ActionIcon, Tabs, Tooltip } from '@mantine/core'
import { IconMailbox, IconMailOpened, IconRefresh } from '@tabler/icons-react'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { allItems } from '../api/page'
import { useLetter, useLetters, type Letter, type LetterRow } from '../api/sandbox'
import { ChannelIcon } from '../components/ChannelIcon'
import { MoreButton } from '../components/MoreButton'
import { SearchField } from '../components/SearchField'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { fromNow, moment } from '../format/dates'
import { useNow } from '../format/useNow'

const route = getRouteApi('/app/sandbox')

/** The built-in mailbox: what would have left the house. */
export function SandboxPage() {
  const { t } = useTranslation()
  const { search = '', message } = route.useSearch()
  const navigate = route.useNavigate()
  const letters = useLetters(search)
  const list = allItems(letters.data?.pages)
  useEffect(() => {
    document.title = `${t('sandbox.title')} · Sojourn`
  }, [t])
  return (
    <div className="mailbox">
      <section className="mailbox-list" aria-label={t('sandbox.list')}>
        <div className="mailbox-head">
          <div style={{ display: 'flex', justifyContent: 'space-between', marginBottom: 12 }}>
            <div>
              <h1>{t('sandbox.title')}</h1>
              <span style={{ color: 'var(--ink2)' }}>{t('sandbox.subtitle')}</span>
            </div>
            <Tooltip label={t('sandbox.refresh')}>
              <ActionIcon
                aria-label={t('sandbox.refresh')}
                loading={letters.isRefetching}
                onClick={() => letters.refetch()}
              >
                <IconRefresh size={18} />
              </ActionIcon>
            </Tooltip>
          </div>
          <SearchField
            width="100%"
            label={t('sandbox.search')}
            value={search}
            onSearch={(text) => navigate({ search: (old) => ({ ...old, search: text || undefined }), replace: true })}
          />
        </div>
        <div className="mailbox-scroll">
          {letters.isPending && <Waiting />}
          {letters.isError && <LoadFailure error={letters.error} retry={letters.refetch} />}
          {letters.isSuccess && list.length === 0 && (
            <EmptyState
              icon={IconMailbox}
              title={search ? t('sandbox.nothing') : t('sandbox.empty')}
              text={search ? undefined : t('sandbox.emptyText')}
            />
          )}
          {list.map((letter) => (
            <Row key={letter.id} letter={letter} on={letter.id === message} />
          ))}
          <MoreButton query={letters} />
        </div>
      </section>
      <Preview id={message ?? null} />
    </div>
  )
}

function Row({ letter, on }: { letter: LetterRow; on: boolean }) {
  const { t } = useTranslation()
  const now = useNow()
  return (
    <Link
      to="/sandbox"
      search={(old) => ({ ...old, message: letter.id })}
      replace
      className={`letter-row${on ? ' on' : ''}`}
      aria-current={on ? 'true' : undefined}
    >
      <ChannelIcon channel={letter.channel} />
      <span className="what">
        <b>{letter.recipient}</b>
        <small>{letter.subject ?? letter.preview ?? t(`channel.${letter.channel}`)}</small>
      </span>
      <time dateTime={letter.at}>{fromNow(letter.at, now)}</time>
    </Link>
  )
}

function Preview({ id }: { id: number | null }) {
  const { t } = useTranslation()
  const letter = useLetter(id)
  const content = () => {
    if (id === null) return <EmptyState icon={IconMailOpened} title={t('sandbox.choose')} />
    if (letter.isPending) return <Waiting />
    if (letter.isError) return <LoadFailure error={letter.error} retry={letter.refetch} />
    return <Reading key={id} letter={letter.data} />
  }
  return (
    <section className="letter" aria-live="polite">
      {content()}
    </section>
  )
}

function Reading({ letter }: { letter: Letter }) {
  const { t } = useTranslation()
  return (
    <>
      <div className="letter-head">
        <h2>{letter.subject ?? t(letter.channel === 'email' ? 'sandbox.noSubject' : `channel.${letter.channel}`)}</h2>
        <dl className="facts" style={{ marginBottom: 14, gap: '5px 16px' }}>
          <dt>{t('sandbox.to')}</dt>
          <dd>
            <Link to="/profiles/$id" params={{ id: letter.profile_id }}>
              {letter.recipient}
            </Link>
          </dd>
          {letter.sender && (
            <>
              <dt>{t('sandbox.from')}</dt>
              <dd>{letter.sender}</dd>
            </>
          )}
          <dt>{t('sandbox.at')}</dt>
          <dd>
            {moment(letter.at)} {letter.confirmation && <span className="pill amber">{t('sandbox.confirmation')}</span>}
          </dd>
        </dl>
      </div>
      {letter.html === null ? (
        <div className="sms-bubble">{letter.text}</div>
      ) : (
        <Parts letter={letter} html={letter.html} />
      )}
    </>
  )
}

function Parts({ letter, html }: { letter: Letter; html: string }) {
  const { t } = useTranslation()
  const headers = Object.entries(letter.headers ?? {})
  return (
    <Tabs defaultValue="html" className="letter-body" keepMounted={false}>
      <Tabs.List px={16} bg="var(--panel)">
        <Tabs.Tab value="html">{t('sandbox.html')}</Tabs.Tab>
        <Tabs.Tab value="text">{t('sandbox.text')}</Tabs.Tab>
        {headers.length > 0 && <Tabs.Tab value="headers">{t('sandbox.headers')}</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value="html" className="letter-body">
        {/* No scripts and no origin of ours; a link opens a new tab, which is out of the sandbox like any other page. */}
        <iframe
          className="letter-frame"
          title={t('sandbox.frame')}
          sandbox="allow-popups allow-popups-to-escape-sandbox"
          srcDoc={withNewTabs(html)}
        />
      </Tabs.Panel>
      <Tabs.Panel value="text" className="letter-body">
        <pre className="letter-text">{letter.text ?? t('sandbox.noText')}</pre>
      </Tabs.Panel>
      <Tabs.Panel value="headers" className="letter-body">
        <pre className="letter-text">{headers.map(([name, value]) => `${name}: ${value}`).join('\n')}</pre>
      </Tabs.Panel>
    </Tabs>
  )
}

/** The letter with a base that sends every link to a new tab. */
function withNewTabs(html: string): string {
  const base = '<base target="_blank">'
  return /<head[^>]*>/i.test(html) ? html.replace(/<head[^>]*>/i, (head) => head + base) : base + html
}
