import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, Outlet } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { readAudienceSearch, type AudienceSearch } from './bulk/audienceSearch'
import { EmptyState, Waiting } from './components/states'
import { LoginPage } from './login/LoginPage'
import { Shell } from './shell/Shell'

const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined)
const id = (value: unknown) => (Number.isSafeInteger(Number(value)) && Number(value) > 0 ? Number(value) : undefined)

/** A way inside this application, so that the log-in cannot be made to lead elsewhere. */
const ownPath = (value: unknown) => (/^\/(?!\/)/.test(String(value)) ? text(value) : undefined)

const root = createRootRoute({ component: Outlet, notFoundComponent: NoSuchPage })
const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: LoginPage,
  validateSearch: (search): { next?: string } => ({ next: ownPath(search.next) }),
})
const app = createRoute({ getParentRoute: () => root, id: 'app', component: Shell })
const home = createRoute({
  getParentRoute: () => app,
  path: '/',
  component: lazyRouteComponent(() => import('./home/HomePage'), 'HomePage'),
})
const scenarios = createRoute({
  getParentRoute: () => app,
  path: '/scenarios',
  component: lazyRouteComponent(() => import('./scenarios/ScenariosPage'), 'ScenariosPage'),
})
const scenario = createRoute({
  getParentRoute: () => app,
  path: '/scenarios/$id',
  component: lazyRouteComponent(() => import('./scenario/ScenarioPage')),
})
const profiles = createRoute({
  getParentRoute: () => app,
  path: '/profiles',
  component: lazyRouteComponent(() => import('./profiles/ProfilesPage'), 'ProfilesPage'),
  validateSearch: (search): { database?: number; search?: string; segment?: number; rules?: string } => ({
    ...readAudienceSearch(search),
    search: text(search.search),
  }),
})
const profile = createRoute({
  getParentRoute: () => app,
  path: '/profiles/$id',
  component: lazyRouteComponent(() => import('./profiles/ProfilePage'), 'ProfilePage'),
  validateSearch: (search): { tab?: 'history' | 'scenarios' | 'messages' | 'segments' | 'relations' } => ({
    tab: (['history', 'scenarios', 'messages', 'segments', 'relations'] as const).find((tab) => tab === search.tab),
  }),
})
const sandbox = createRoute({
  getParentRoute: () => app,
  path: '/sandbox',
  component: lazyRouteComponent(() => import('./sandbox/SandboxPage'), 'SandboxPage'),
  validateSearch: (search): { message?: number; search?: string } => ({
    message: id(search.message),
    search: text(search.search),
  }),
})
const imports = createRoute({
  getParentRoute: () => app,
  path: '/imports',
  component: lazyRouteComponent(() => import('./imports/ImportPage'), 'ImportPage'),
  validateSearch: (search): { task?: number; new?: boolean; database?: number } => ({
    task: id(search.task),
    new: search.new === true ? true : undefined,
    database: id(search.database),
  }),
})

const databases = createRoute({
  getParentRoute: () => app,
  path: '/databases',
  component: lazyRouteComponent(() => import('./databases/DatabasesPage'), 'DatabasesPage'),
})
const database = createRoute({
  getParentRoute: () => app,
  path: '/databases/$id',
  component: lazyRouteComponent(() => import('./databases/DatabasePage'), 'DatabasePage'),
  validateSearch: (search): { tab?: 'fields' | 'figures' | 'settings' } => ({
    tab: (['fields', 'figures', 'settings'] as const).find((tab) => tab === search.tab),
  }),
})
const resources = createRoute({
  getParentRoute: () => app,
  path: '/resources',
  component: lazyRouteComponent(() => import('./resources/ResourcesPage'), 'ResourcesPage'),
})
const resource = createRoute({
  getParentRoute: () => app,
  path: '/resources/$id',
  component: lazyRouteComponent(() => import('./resources/ResourcePage'), 'ResourcePage'),
  validateSearch: (search): { tab?: 'settings' | 'categories' | 'fields' | 'uses' } => ({
    tab: (['settings', 'categories', 'fields', 'uses'] as const).find((tab) => tab === search.tab),
  }),
})
const connections = createRoute({
  getParentRoute: () => app,
  path: '/connections',
  component: lazyRouteComponent(() => import('./sources/ConnectionsPage'), 'ConnectionsPage'),
})
const plans = createRoute({
  getParentRoute: () => app,
  path: '/import-plans',
  component: lazyRouteComponent(() => import('./sources/PlansPage'), 'PlansPage'),
})
const plan = createRoute({
  getParentRoute: () => app,
  path: '/import-plans/$id',
  component: lazyRouteComponent(() => import('./sources/PlanPage'), 'PlanPage'),
})
const externalTables = createRoute({
  getParentRoute: () => app,
  path: '/external-tables',
  component: lazyRouteComponent(() => import('./sources/TablesPage'), 'TablesPage'),
})
const segments = createRoute({
  getParentRoute: () => app,
  path: '/segments',
  component: lazyRouteComponent(() => import('./segments/SegmentsPage'), 'SegmentsPage'),
  validateSearch: (search): { search?: string; kind?: 'static' | 'dynamic' | 'updatable' } => ({
    search: text(search.search),
    kind: (['static', 'dynamic', 'updatable'] as const).find((kind) => kind === search.kind),
  }),
})
const segment = createRoute({
  getParentRoute: () => app,
  path: '/segments/$id',
  component: lazyRouteComponent(() => import('./segments/SegmentPage'), 'SegmentPage'),
})
const suppression = createRoute({
  getParentRoute: () => app,
  path: '/suppression',
  component: lazyRouteComponent(() => import('./suppression/SuppressionPage'), 'SuppressionPage'),
})
const suppressionList = createRoute({
  getParentRoute: () => app,
  path: '/suppression/$id',
  component: lazyRouteComponent(() => import('./suppression/SuppressionListPage'), 'SuppressionListPage'),
})
const exports = createRoute({
  getParentRoute: () => app,
  path: '/exports',
  component: lazyRouteComponent(() => import('./bulk/ExportsPage'), 'ExportsPage'),
  validateSearch: (search): AudienceSearch & { new?: boolean } => ({
    ...readAudienceSearch(search),
    new: search.new === true || undefined,
  }),
})
const bulkUpdate = createRoute({
  getParentRoute: () => app,
  path: '/bulk-update',
  component: lazyRouteComponent(() => import('./bulk/BulkUpdatePage'), 'BulkUpdatePage'),
  validateSearch: (search): AudienceSearch & { task?: number } => ({
    ...readAudienceSearch(search),
    task: id(search.task),
  }),
})
const account = createRoute({
  getParentRoute: () => app,
  path: '/settings/account',
  component: lazyRouteComponent(() => import('./account/AccountPage'), 'AccountPage'),
})
const privacy = createRoute({
  getParentRoute: () => app,
  path: '/settings/privacy',
  component: lazyRouteComponent(() => import('./privacy/PrivacyPage'), 'PrivacyPage'),
})

function NoSuchPage() {
  const { t } = useTranslation()
  return (
    <EmptyState title={t('notFound')}>
      <Link to="/">{t('toStart')}</Link>
    </EmptyState>
  )
}

export const router = createRouter({
  routeTree: root.addChildren([
    login,
    app.addChildren([
      home,
      scenarios,
      scenario,
      profiles,
      profile,
      sandbox,
      imports,
      databases,
      database,
      resources,
      resource,
      connections,
      plans,
      plan,
      externalTables,
      segments,
      segment,
      suppression,
      suppressionList,
      exports,
      bulkUpdate,
      account,
      privacy,
    ]),
  ]),
  defaultPreload: 'intent',
  defaultPendingComponent: Waiting,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
