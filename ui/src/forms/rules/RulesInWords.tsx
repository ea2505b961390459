import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** The rules as a sentence, to read what was built. */
export function RulesInWords({ text }: { text: string | undefined }) {
  const { t } = useTranslation()
  if (!text) return null
  return (
    <Text size="xs" c="var(--ink2)" mt={8} lineClamp={6}>
      <b>{t('area.rules.inWords')}</b> {text}
    </Text>
  )
}
