import '@fontsource-variable/inter'
import '@mantine/core/styles.css'
import './styles/tokens.css'
import './styles/forms.css'
import './styles/pages.css'
import './styles/imports.css'
import './styles/people.css'
import './i18n'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError, whenSessionEnds } from './api/client'
import { sessionQuery } from './api/session'
import { ToastArea } from './components/toasts'
import { router } from './router'
import { cssVariables, theme } from './theme'

const MOST_RETRIES = 2

/* Only what may go better the next time is tried again. */
const mayRetry = (count: number, error: unknown) =>
  count < MOST_RETRIES && error instanceof ApiError && (error.status === 0 || error.status >= 500)

const client = new QueryClient({ defaultOptions: { queries: { retry: mayRetry, refetchOnWindowFocus: true } } })
whenSessionEnds(() => client.setQueryData(sessionQuery.queryKey, null))

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
        <ToastArea />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
