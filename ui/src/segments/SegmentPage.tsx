import { Alert, Button, Group, Modal, Tabs } from '@mantine/core'
import { IconCalculator, IconFileExport, IconTrash, IconUsersPlus } from '@tabler/icons-react'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { calculateSegment, deleteSegment, useForgetSegments, useSegment, type Segment } from '../api/segments'
import { PageHead } from '../components/PageHead'
import { LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { MembersTab } from './MembersTab'
import { HistoryTab } from './HistoryTab'
import { SegmentForm } from './SegmentForm'
import { Calculated, KindBadge } from './SegmentsPage'

const route = getRouteApi('/app/segments/$id')

/** One segment, or a new one. */
export function SegmentPage() {
  const { t } = useTranslation()
  const { id } = route.useParams()
  const isNew = id === 'new'
  const segment = useSegment(isNew ? undefined : Number(id))
  if (isNew)
    return (
      <div className="page">
        <PageHead title={t('area.segments.create')} />
        <SegmentForm />
      </div>
    )
  if (segment.isPending) return <Waiting />
  if (segment.isError) return <LoadFailure error={segment.error} retry={segment.refetch} />
  return <Known key={segment.data.id} segment={segment.data} />
}

function Known({ segment }: { segment: Segment }) {
  const { t } = useTranslation()
  const [deleting, setDeleting] = useState(false)
  const calculate = async () => {
    try {
      await calculateSegment(segment.id)
      toast.good(t('area.segments.calculating'))
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  const hasMembers = segment.kind !== 'dynamic'
  const audience = { database: segment.database_id, segment: segment.id }
  return (
    <div className="page">
      <PageHead
        title={segment.name}
        subtitle={
          <span style={{ display: 'inline-flex', gap: 10, alignItems: 'center' }}>
            <KindBadge kind={segment.kind} /> <Calculated segment={segment} />
          </span>
        }
      >
        {segment.kind === 'updatable' && (
          <Button variant="default" leftSection={<IconCalculator size={16} />} onClick={calculate}>
            {t('area.segments.calculate')}
          </Button>
        )}
        <Button
          variant="default"
          leftSection={<IconFileExport size={16} />}
          component={Link}
          to="/exports"
          search={{ ...audience, new: true } as never}
        >
          {t('area.segments.export')}
        </Button>
        <Button
          variant="default"
          leftSection={<IconUsersPlus size={16} />}
          component={Link}
          to="/bulk-update"
          search={audience as never}
        >
          {t('area.segments.bulk')}
        </Button>
        <Button variant="default" color="red" leftSection={<IconTrash size={16} />} onClick={() => setDeleting(true)}>
          {t('area.segments.delete')}
        </Button>
      </PageHead>
      {segment.error && (
        <Alert color="yellow" variant="light" mb="md" title={t('area.segments.failed')}>
          {segment.error}
        </Alert>
      )}
      <Tabs defaultValue={segment.kind === 'static' ? 'members' : 'rules'} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="rules">{t('area.segments.tabs.rules')}</Tabs.Tab>
          {hasMembers && <Tabs.Tab value="members">{t('area.segments.tabs.members')}</Tabs.Tab>}
          {hasMembers && <Tabs.Tab value="history">{t('area.segments.tabs.history')}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="rules">
          <SegmentForm key={segment.revision} segment={segment} />
        </Tabs.Panel>
        <Tabs.Panel value="members">
          <MembersTab segment={segment} />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <HistoryTab id={segment.id} />
        </Tabs.Panel>
      </Tabs>
      {deleting && <DeleteQuestion segment={segment} onClose={() => setDeleting(false)} />}
    </div>
  )
}

function DeleteQuestion({ segment, onClose }: { segment: Segment; onClose: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetSegments()
  const [busy, setBusy] = useState(false)
  const run = async () => {
    setBusy(true)
    try {
      await deleteSegment(segment.id)
      toast.good(t('area.segments.deleted'))
      await navigate({ to: '/segments' })
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
      onClose()
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.segments.deleteTitle')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <p style={{ margin: 0 }}>{t('area.segments.deleteText')}</p>
      <Group justify="flex-end" mt="lg" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button color="red" loading={busy} onClick={run}>
          {t('area.segments.delete')}
        </Button>
      </Group>
    </Modal>
  )
}
