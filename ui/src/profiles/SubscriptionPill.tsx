import { useTranslation } from 'react-i18next'

const TONES: Record<string, string> = {
  subscribed: 'tone-yes',
  unsubscribed: 'neutral',
  unconfirmed: 'amber',
  suspended: 'amber',
  complained: 'tone-no',
  hardbounced: 'tone-no',
  invalid: 'tone-no',
}

export function SubscriptionPill({ status }: { status: string | null }) {
  const { t } = useTranslation()
  if (!status) return null
  return <span className={`pill ${TONES[status] ?? 'neutral'}`}>{t(`subscription.${status}`)}</span>
}
