import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { undoMerge, useMerged } from '../api/merging'
import { useForgetProfiles } from '../api/profiles'
import { toast } from '../components/toasts'
import { day } from '../format/dates'

/** Profiles that were merged into this one, each of which can come back. */
export function MergedList({ id }: { id: string }) {
  const { t } = useTranslation()
  const forget = useForgetProfiles()
  const merged = useMerged(id)
  if (!merged.data?.length) return null
  const undo = async (other: string) => {
    try {
      await undoMerge(id, other)
      toast.good(t('area.merging.undone'))
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  return (
    <section className="panel padded">
      <h2>{t('area.merging.mergedBefore')}</h2>
      {merged.data.map((one) => (
        <div key={one.profile_id} className="subscription">
          <span style={{ flex: 1, minWidth: 0 }}>
            <span className="one-line">{one.name || one.profile_id}</span>
            <small>{day(one.at)}</small>
          </span>
          {one.undoable ? (
            <Button size="compact-xs" variant="subtle" onClick={() => undo(one.profile_id)}>
              {t('area.merging.undo')}
            </Button>
          ) : (
            <small>{t('area.merging.notUndoable')}</small>
          )}
        </div>
      ))}
    </section>
  )
}
