import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { rejectedAddress, useRejections } from '../api/imports'
import { allItems } from '../api/page'
import { MoreButton } from '../components/MoreButton'
import { LoadFailure, Waiting } from '../components/states'
import { number } from '../format/numbers'
import { useReason } from './reasons'

/** Lines of the file that were not taken: where, which field, why. */
export function Rejections({ id }: { id: number }) {
  const { t } = useTranslation()
  const words = useReason()
  const rejections = useRejections(id)
  const rows = allItems(rejections.data?.pages)
  if (rejections.isPending) return <Waiting rows={3} />
  if (rejections.isError) return <LoadFailure error={rejections.error} retry={rejections.refetch} />
  if (rows.length === 0) return <p style={{ color: 'var(--ink2)' }}>{t('imports.rejectedNone')}</p>
  return (
    <>
      <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', margin: '22px 0 10px' }}>
        <h2 style={{ fontSize: 15, margin: 0 }}>{t('imports.rejectedTitle')}</h2>
        <Button
          component="a"
          href={rejectedAddress(id)}
          download
          variant="default"
          size="compact-md"
          leftSection={<IconDownload size={16} />}
        >
          {t('area.imports.download')}
        </Button>
      </div>
      <div className="panel table-panel">
        <table className="table">
          <thead>
            <tr>
              <th className="num">{t('imports.line')}</th>
              <th>{t('imports.field')}</th>
              <th>{t('imports.reason')}</th>
              <th>{t('imports.row')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                <td className="num">{number(row.line)}</td>
                <td>{row.column ?? row.field}</td>
                <td>{words(row.reason)}</td>
                <td
                  style={{
                    color: 'var(--ink2)',
                    maxWidth: 320,
                    overflow: 'hidden',
                    textOverflow: 'ellipsis',
                    whiteSpace: 'nowrap',
                  }}
                >
                  {row.row_text}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <MoreButton query={rejections} />
      </div>
    </>
  )
}
