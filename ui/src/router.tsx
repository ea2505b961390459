import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, Outlet } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { EmptyState, Waiting } from './components/states'
import { HomePage } from './home/HomePage'
import { ImportPage } from './imports/ImportPage'
import { LoginPage } from './login/LoginPage'
import { ProfilePage } from './profiles/ProfilePage'
import { ProfilesPage } from './profiles/ProfilesPage'
import { SandboxPage } from './sandbox/SandboxPage'
import { ScenariosPage } from './scenarios/ScenariosPage'
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
const home = createRoute({ getParentRoute: () => app, path: '/', component: HomePage })
const scenarios = createRoute({ getParentRoute: () => app, path: '/scenarios', component: ScenariosPage })
const scenario = createRoute({
  getParentRoute: () => app,
  path: '/scenarios/$id',
  component: lazyRouteComponent(() => import('./scenario/ScenarioPage')),
  pendingComponent: Waiting,
})
const profiles = createRoute({
  getParentRoute: () => app,
  path: '/profiles',
  component: ProfilesPage,
  validateSearch: (search): { database?: number; search?: string } => ({
    database: id(search.database),
    search: text(search.search),
  }),
})
const profile = createRoute({ getParentRoute: () => app, path: '/profiles/$id', component: ProfilePage })
const sandbox = createRoute({
  getParentRoute: () => app,
  path: '/sandbox',
  component: SandboxPage,
  validateSearch: (search): { message?: number; search?: string } => ({
    message: id(search.message),
    search: text(search.search),
  }),
})
const imports = createRoute({
  getParentRoute: () => app,
  path: '/imports',
  component: ImportPage,
  validateSearch: (search): { task?: number } => ({ task: id(search.task) }),
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
    app.addChildren([home, scenarios, scenario, profiles, profile, sandbox, imports]),
  ]),
  defaultPreload: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
