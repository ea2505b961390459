import { useTranslation } from 'react-i18next'

type Props = { active: boolean; published: boolean }

/** Active, stopped, or never published. */
export function StatusPill({ active, published }: Props) {
  const { t } = useTranslation()
  if (active)
    return (
      <span className="pill tone-yes">
        <i />
        {t('status.active')}
      </span>
    )
  return (
    <span className="pill neutral">
      <i />
      {t(published ? 'status.stopped' : 'status.draft')}
    </span>
  )
}
