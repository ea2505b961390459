/** What a screen shows instead of content: nothing yet, something failed, still loading. */
import { Alert, Button, Skeleton, Stack } from '@mantine/core'
import { IconAlertTriangle, type Icon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'

type EmptyProps = { icon?: Icon; title: string; text?: string; children?: ReactNode }

export function EmptyState({ icon: Art, title, text, children }: EmptyProps) {
  return (
    <div className="empty">
      {Art && <Art className="art" size={56} stroke={1.2} aria-hidden />}
      <b style={{ fontSize: 15 }}>{title}</b>
      {text && <span style={{ color: 'var(--ink2)', maxWidth: 420 }}>{text}</span>}
      {children && <div style={{ marginTop: 12 }}>{children}</div>}
    </div>
  )
}

export function LoadFailure({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useTranslation()
  return (
    <Alert color="red" variant="light" title={t('failed')} icon={<IconAlertTriangle size={18} />} m="md">
      <p style={{ margin: '0 0 10px' }}>{errorText(error)}</p>
      <Button size="compact-sm" variant="default" onClick={() => retry()}>
        {t('tryAgain')}
      </Button>
    </Alert>
  )
}

export function Waiting({ rows = 6 }: { rows?: number }) {
  const { t } = useTranslation()
  return (
    <Stack gap={12} p="md" role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} height={22} radius="sm" width={`${96 - ((index * 17) % 40)}%`} />
      ))}
    </Stack>
  )
}
