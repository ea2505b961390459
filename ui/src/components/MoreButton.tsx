import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

type Props = { query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }

/** Brings the next page of a list, if there is one. */
export function MoreButton({ query }: Props) {
  const { t } = useTranslation()
  if (!query.hasNextPage) return null
  return (
    <div className="more">
      <Button
        variant="default"
        size="compact-md"
        loading={query.isFetchingNextPage}
        onClick={() => query.fetchNextPage()}
      >
        {t('loadMore')}
      </Button>
    </div>
  )
}
