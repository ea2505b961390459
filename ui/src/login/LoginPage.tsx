import { Alert, Button, PasswordInput, SegmentedControl, Stack, TextInput } from '@mantine/core'
import { getRouteApi, Navigate } from '@tanstack/react-router'
import { useState, type SubmitEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useLogIn, useSession } from '../api/session'
import { Logo } from '../shell/Logo'

const route = getRouteApi('/login')

export function LoginPage() {
  const { t, i18n } = useTranslation()
  const { next } = route.useSearch()
  const session = useSession()
  const logIn = useLogIn()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  if (session.data) return <Navigate to={next ?? '/'} replace />
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    logIn.mutate({ email: email.trim(), password })
  }
  return (
    <main className="login">
      <form className="panel login-card" onSubmit={submit}>
        <Logo size={44} />
        <h1 style={{ fontSize: 24, letterSpacing: '-.02em', margin: '16px 0 2px' }}>{t('login.title')}</h1>
        <p style={{ margin: '0 0 20px', color: 'var(--ink2)' }}>{t('login.text')}</p>
        <Stack gap="md">
          {logIn.isError && (
            <Alert color="red" variant="light" role="alert">
              {errorText(logIn.error)}
            </Alert>
          )}
          <TextInput
            label={t('login.email')}
            type="email"
            autoComplete="username"
            autoFocus
            required
            withAsterisk={false}
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label={t('login.password')}
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" size="md" fullWidth loading={logIn.isPending}>
            {t('login.submit')}
          </Button>
          <SegmentedControl
            size="xs"
            aria-label={t('user.language')}
            data={[
              { value: 'en', label: 'English' },
              { value: 'ru', label: 'Русский' },
            ]}
            value={i18n.language}
            onChange={(language) => void i18n.changeLanguage(language)}
          />
        </Stack>
      </form>
    </main>
  )
}
