import { CloseButton, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

const QUIET_MS = 250

type Props = { label: string; value: string; onSearch: (text: string) => void; width?: number | string }

/** Searches a moment after the last key. */
export function SearchField({ label, value, onSearch, width = 320 }: Props) {
  const { t } = useTranslation()
  const [text, setText] = useState(value)
  const search = useDebouncedCallback((next: string) => onSearch(next.trim()), QUIET_MS)
  const put = (next: string) => {
    setText(next)
    search(next)
  }
  return (
    <TextInput
      w={width}
      type="search"
      leftSection={<IconSearch size={15} />}
      rightSection={text && <CloseButton size="sm" aria-label={t('remove')} onClick={() => put('')} />}
      placeholder={label}
      aria-label={label}
      value={text}
      onChange={(event) => put(event.currentTarget.value)}
    />
  )
}
