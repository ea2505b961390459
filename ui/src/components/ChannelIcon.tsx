import { IconDeviceMobile, IconMail, IconMessage2 } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

export function ChannelIcon({ channel }: { channel: string }) {
  const { t } = useTranslation()
  const Icon = channel === 'email' ? IconMail : channel === 'sms' ? IconMessage2 : IconDeviceMobile
  return (
    <span className="tile mini cat-channel" role="img" aria-label={t(`channel.${channel}`)}>
      <Icon size={16} stroke={1.8} />
    </span>
  )
}
