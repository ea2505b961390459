import { Button, Group, Modal, MultiSelect, SegmentedControl, Stack, TextInput } from '@mantine/core'
import { IconBroadcast, IconPlus } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import { CHANNELS, createResource, useForgetResources, useResources } from '../api/resources'
import { ChannelIcon } from '../components/ChannelIcon'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'

/** What people subscribe to. */
export function ResourcesPage() {
  const { t } = useTranslation()
  const [archived, setArchived] = useState(false)
  const [creating, setCreating] = useState(false)
  const resources = useResources(archived)
  const databases = useDatabases()
  const called = (ids: number[]) =>
    ids.length
      ? ids.map((id) => databases.data?.find((one) => one.id === id)?.name ?? id).join(', ')
      : t('area.resources.anyDatabase')
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      {t('area.resources.create')}
    </Button>
  )
  const rows = resources.data?.items ?? []
  return (
    <div className="page">
      <PageHead title={t('area.resources.title')} subtitle={t('area.resources.subtitle')}>
        {button}
      </PageHead>
      <SegmentedControl
        mb="sm"
        value={archived ? 'archived' : 'used'}
        onChange={(word) => setArchived(word === 'archived')}
        data={[
          { value: 'used', label: t('area.resources.showInUse') },
          { value: 'archived', label: t('area.resources.showArchived') },
        ]}
      />
      <div className="panel table-panel">
        {resources.isPending && <Waiting rows={3} />}
        {resources.isError && <LoadFailure error={resources.error} retry={resources.refetch} />}
        {resources.data && rows.length === 0 && !archived && (
          <EmptyState icon={IconBroadcast} title={t('area.resources.empty')} text={t('area.resources.emptyText')}>
            {button}
          </EmptyState>
        )}
        {resources.data && rows.length === 0 && archived && (
          <p style={{ padding: '18px 20px', margin: 0, color: 'var(--ink2)' }}>{t('area.resources.noArchived')}</p>
        )}
        {rows.length > 0 && (
          <table className="table">
            <thead>
              <tr>
                <th>{t('area.resources.name')}</th>
                <th>{t('area.resources.channels')}</th>
                <th>{t('area.resources.databases')}</th>
                <th>{t('area.resources.fromEmail')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((one) => (
                <tr key={one.id}>
                  <td style={{ whiteSpace: 'normal' }}>
                    <Link to="/resources/$id" params={{ id: String(one.id) }} className="row-link">
                      {one.name}
                    </Link>
                    {one.description && <div className="soft">{one.description}</div>}
                  </td>
                  <td>
                    <Group gap={6}>
                      {one.channels.map((channel) => (
                        <ChannelIcon key={channel} channel={channel} />
                      ))}
                    </Group>
                  </td>
                  <td className="soft" style={{ whiteSpace: 'normal' }}>
                    {called(one.database_ids)}
                  </td>
                  <td className="soft">{[one.from_name, one.from_email].filter(Boolean).join(' · ') || '—'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {creating && <CreateResource onClose={() => setCreating(false)} />}
    </div>
  )
}

function CreateResource({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetResources()
  const [name, setName] = useState('')
  const [channels, setChannels] = useState(['email'])
  const [busy, setBusy] = useState(false)
  const create = async () => {
    setBusy(true)
    try {
      const made = await createResource({ name, channels, description: '', database_ids: [], consent: '' })
      await forget()
      await navigate({ to: '/resources/$id', params: { id: String(made.id) } })
    } catch (error) {
      toast.bad(errorText(error))
      setBusy(false)
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.resources.createTitle')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        <TextInput
          label={t('area.resources.name')}
          maxLength={200}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <MultiSelect
          label={t('area.resources.channels')}
          data={CHANNELS.map((word) => ({ value: word, label: t(`channel.${word}`) }))}
          value={channels}
          onChange={setChannels}
        />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button loading={busy} disabled={!name.trim() || channels.length === 0} onClick={create}>
            {t('create')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
