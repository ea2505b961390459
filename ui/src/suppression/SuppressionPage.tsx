import { Button, Group, Modal, TextInput } from '@mantine/core'
import { IconBan, IconPlus } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import { allItems } from '../api/page'
import { createList, useForgetSuppression, useSuppressionLists } from '../api/suppression'
import { MoreButton } from '../components/MoreButton'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { day } from '../format/dates'
import { number } from '../format/numbers'

/** All suppression lists. */
export function SuppressionPage() {
  const { t } = useTranslation()
  const lists = useSuppressionLists()
  const databases = useDatabases()
  const [creating, setCreating] = useState(false)
  const rows = allItems(lists.data?.pages)
  const names = (ids: number[]) =>
    ids.map((id) => databases.data?.find((found) => found.id === id)?.name ?? id).join(', ')
  return (
    <div className="page">
      <PageHead title={t('area.subscriptions.lists')} subtitle={t('area.subscriptions.listsText')}>
        <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
          {t('area.subscriptions.create')}
        </Button>
      </PageHead>
      <div className="panel table-panel">
        {lists.isPending && <Waiting />}
        {lists.isError && <LoadFailure error={lists.error} retry={lists.refetch} />}
        {lists.isSuccess && !rows.length && <EmptyState icon={IconBan} title={t('area.subscriptions.none')} />}
        {rows.length > 0 && (
          <table className="table">
            <thead>
              <tr>
                <th>{t('area.subscriptions.name')}</th>
                <th style={{ textAlign: 'right' }}>{t('area.subscriptions.entries')}</th>
                <th>{t('area.subscriptions.appliesTo')}</th>
                <th>{t('area.subscriptions.made')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((list) => (
                <tr key={list.id}>
                  <td>
                    <Link to="/suppression/$id" params={{ id: String(list.id) }} className="row-link">
                      {list.name}
                    </Link>
                  </td>
                  <td style={{ textAlign: 'right' }}>{number(list.entries)}</td>
                  <td>
                    {list.is_global
                      ? t('area.subscriptions.everybody')
                      : names(list.database_ids) || t('area.subscriptions.noDatabase')}
                  </td>
                  <td className="soft">{day(list.created_at)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <MoreButton query={lists} />
      </div>
      {creating && <CreateList onClose={() => setCreating(false)} />}
    </div>
  )
}

function CreateList({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetSuppression()
  const [name, setName] = useState('')
  const create = async () => {
    try {
      const made = await createList(name)
      await forget()
      await navigate({ to: '/suppression/$id', params: { id: String(made.id) } })
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.subscriptions.create')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <TextInput
        label={t('area.subscriptions.name')}
        maxLength={200}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && name.trim() && create()}
      />
      <Group justify="flex-end" mt="lg" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button disabled={!name.trim()} onClick={create}>
          {t('create')}
        </Button>
      </Group>
    </Modal>
  )
}
