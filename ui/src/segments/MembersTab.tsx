import { ActionIcon, Button, Group, Modal, Textarea, VisuallyHidden } from '@mantine/core'
import { IconPlus, IconUsers, IconX } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { allItems } from '../api/page'
import { addMembers, removeMember, useForgetSegments, useMembers, type Segment } from '../api/segments'
import { Initials } from '../components/Initials'
import { MoreButton } from '../components/MoreButton'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { moment } from '../format/dates'

/** Who is in a segment; a static one is filled here too. */
export function MembersTab({ segment }: { segment: Segment }) {
  const { t } = useTranslation()
  const members = useMembers(segment.id)
  const forget = useForgetSegments()
  const [adding, setAdding] = useState(false)
  const rows = allItems(members.data?.pages)
  const byHand = segment.kind === 'static'
  const remove = async (id: string) => {
    try {
      await removeMember(segment.id, id)
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  return (
    <>
      {byHand && (
        <Button mb="sm" variant="default" leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
          {t('area.segments.add')}
        </Button>
      )}
      <div className="panel table-panel">
        {members.isPending && <Waiting />}
        {members.isError && <LoadFailure error={members.error} retry={members.refetch} />}
        {members.isSuccess && !rows.length && <EmptyState icon={IconUsers} title={t('area.segments.noMembers')} />}
        {rows.length > 0 && (
          <table className="table">
            <thead>
              <tr>
                <th>{t('area.segments.member')}</th>
                <th>E-mail</th>
                <th>{t('area.segments.entered')}</th>
                {byHand && (
                  <th>
                    <VisuallyHidden>{t('area.segments.remove')}</VisuallyHidden>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => {
                const shown = row.name ?? row.email ?? row.phone ?? row.id
                return (
                  <tr key={row.id}>
                    <td>
                      <span style={{ display: 'flex', alignItems: 'center', gap: 10 }}>
                        <Initials size={28} name={shown} />
                        <Link to="/profiles/$id" params={{ id: row.id }}>
                          {shown}
                        </Link>
                      </span>
                    </td>
                    <td>{row.email}</td>
                    <td className="soft">{moment(row.entered_at)}</td>
                    {byHand && (
                      <td style={{ textAlign: 'right' }}>
                        <ActionIcon aria-label={t('area.segments.remove')} onClick={() => remove(row.id)}>
                          <IconX size={15} />
                        </ActionIcon>
                      </td>
                    )}
                  </tr>
                )
              })}
            </tbody>
          </table>
        )}
        <MoreButton query={members} />
      </div>
      {adding && <AddPeople id={segment.id} onClose={() => setAdding(false)} />}
    </>
  )
}

function AddPeople({ id, onClose }: { id: number; onClose: () => void }) {
  const { t } = useTranslation()
  const forget = useForgetSegments()
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const ids = text.split(/\s+/).filter(Boolean)
  const add = async () => {
    setBusy(true)
    try {
      const { changed } = await addMembers(id, ids)
      toast.good(t('area.segments.added', { count: changed }))
      await forget()
      onClose()
    } catch (error) {
      toast.bad(errorText(error))
      setBusy(false)
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.segments.add')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Textarea
        label={t('area.segments.addHint')}
        autosize
        minRows={5}
        maxRows={14}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Group justify="flex-end" mt="lg" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button loading={busy} disabled={!ids.length} onClick={add}>
          {t('area.segments.add')}
        </Button>
      </Group>
    </Modal>
  )
}
