import { Tooltip } from '@mantine/core'
import {
  IconBan,
  IconBroadcast,
  IconCalendarClock,
  IconDatabase,
  IconFileExport,
  IconFlask,
  IconHome,
  IconMailbox,
  IconPlugConnected,
  IconRoute,
  IconSettings,
  IconShieldLock,
  IconTable,
  IconUpload,
  IconUsers,
  IconUsersGroup,
  type Icon,
} from '@tabler/icons-react'
import { Link, Navigate, Outlet, useRouterState } from '@tanstack/react-router'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { useSession } from '../api/session'
import { useStatus } from '../api/status'
import { LoadFailure, Waiting } from '../components/states'
import { Logo } from './Logo'
import { UserMenu } from './UserMenu'

type Item = { to: string; word: string; icon: Icon }
const GROUPS: { word?: string; items: Item[] }[] = [
  { items: [{ to: '/', word: 'home', icon: IconHome }] },
  {
    word: 'audience',
    items: [
      { to: '/profiles', word: 'profiles', icon: IconUsers },
      { to: '/segments', word: 'segments', icon: IconUsersGroup },
      { to: '/imports', word: 'imports', icon: IconUpload },
      { to: '/import-plans', word: 'plans', icon: IconCalendarClock },
      { to: '/exports', word: 'exports', icon: IconFileExport },
      { to: '/resources', word: 'resources', icon: IconBroadcast },
      { to: '/suppression', word: 'suppression', icon: IconBan },
      { to: '/databases', word: 'databases', icon: IconDatabase },
      { to: '/external-tables', word: 'tables', icon: IconTable },
    ],
  },
  { word: 'automation', items: [{ to: '/scenarios', word: 'scenarios', icon: IconRoute }] },
  { word: 'messages', items: [{ to: '/sandbox', word: 'sandbox', icon: IconMailbox }] },
  {
    word: 'settings',
    items: [
      { to: '/settings/account', word: 'account', icon: IconSettings },
      { to: '/connections', word: 'connections', icon: IconPlugConnected },
      { to: '/settings/privacy', word: 'privacy', icon: IconShieldLock },
    ],
  },
]

/** The frame round every page for somebody who is logged in. */
export function Shell() {
  const { t } = useTranslation()
  const session = useSession()
  const path = useRouterState({ select: (state) => state.location.pathname })
  if (session.isError) return <LoadFailure error={session.error} retry={session.refetch} />
  if (session.isPending) return <Waiting />
  /* While the log-in page is on its way, the path is its own already. */
  if (session.data === null && path === '/login') return null
  if (session.data === null) return <Navigate to="/login" search={path === '/' ? {} : { next: path }} replace />
  const inEditor = /^\/scenarios\/\d+/.test(path)
  return (
    <div className="shell">
      <a className="skip-link" href="#content">
        {t('skip')}
      </a>
      <SideNav rail={inEditor} path={path} />
      <main className="shell-main" id="content" tabIndex={-1}>
        <SandboxBanner />
        <div className="shell-page">
          <Outlet />
        </div>
      </main>
    </div>
  )
}

function SideNav({ rail, path }: { rail: boolean; path: string }) {
  const { t } = useTranslation()
  return (
    <nav className={`side${rail ? ' rail' : ''}`} aria-label={t('nav.main')}>
      <Link to="/" className="logo" aria-label={t('product')}>
        <Logo />
        {!rail && <b>{t('product')}</b>}
      </Link>
      {GROUPS.map(({ word, items }) => (
        <Fragment key={word ?? 'top'}>
          {word && !rail && <div className="side-group">{t(`nav.${word}`)}</div>}
          {items.map((item) => (
            <NavItem
              key={item.to}
              item={item}
              rail={rail}
              on={item.to === '/' ? path === '/' : path.startsWith(item.to)}
            />
          ))}
        </Fragment>
      ))}
      <div style={{ flex: 1 }} />
      <UserMenu rail={rail} />
    </nav>
  )
}

function NavItem({ item: { to, word, icon: Icon }, rail, on }: { item: Item; rail: boolean; on: boolean }) {
  const { t } = useTranslation()
  const label = t(`nav.${word}`)
  return (
    <Tooltip label={label} position="right" disabled={!rail}>
      <Link to={to} className={`side-item${on ? ' on' : ''}`} aria-current={on ? 'page' : undefined} aria-label={label}>
        <Icon size={20} stroke={1.7} style={{ flex: 'none' }} />
        {!rail && <span>{label}</span>}
      </Link>
    </Tooltip>
  )
}

function SandboxBanner() {
  const { t } = useTranslation()
  const sandbox = useStatus().data?.sandbox
  if (!sandbox?.email && !sandbox?.sms) return null
  const what = sandbox.email && sandbox.sms ? 'both' : sandbox.email ? 'email' : 'sms'
  return (
    <div className="sandbox-banner" role="note">
      <IconFlask size={16} aria-hidden />
      {t(`banner.${what}`)} <Link to="/sandbox">{t('banner.link')}</Link>
    </div>
  )
}
