import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core'
import { IconDatabase, IconPlus } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { createDatabase, useForgetDatabases } from '../api/databases'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { day } from '../format/dates'
import { number } from '../format/numbers'
import { LANGUAGES, useLanguage } from '../i18n'

/** All profile databases. */
export function DatabasesPage() {
  const { t } = useTranslation()
  const databases = useDatabases()
  const [creating, setCreating] = useState(false)
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      {t('area.databases.create')}
    </Button>
  )
  return (
    <div className="page">
      <PageHead title={t('area.databases.title')} subtitle={t('area.databases.subtitle')}>
        {button}
      </PageHead>
      <div className="panel table-panel">
        {databases.isPending && <Waiting rows={3} />}
        {databases.isError && <LoadFailure error={databases.error} retry={databases.refetch} />}
        {databases.data?.length === 0 && (
          <EmptyState icon={IconDatabase} title={t('area.databases.empty')} text={t('area.databases.emptyText')}>
            {button}
          </EmptyState>
        )}
        {!!databases.data?.length && (
          <table className="table">
            <thead>
              <tr>
                <th>{t('area.databases.name')}</th>
                <th className="num">{t('area.databases.people')}</th>
                <th className="num">{t('area.databases.ownFields')}</th>
                <th>{t('area.databases.made')}</th>
              </tr>
            </thead>
            <tbody>
              {databases.data.map((one) => (
                <tr key={one.id}>
                  <td style={{ whiteSpace: 'normal' }}>
                    <Link to="/databases/$id" params={{ id: String(one.id) }} className="row-link">
                      {one.name}
                    </Link>
                    {one.description && <div className="soft">{one.description}</div>}
                  </td>
                  <td className="num">
                    {one.about > 10_000 ? t('area.databases.about', { shown: number(one.about) }) : number(one.about)}
                  </td>
                  <td className="num">{one.fields.filter((field) => field.custom).length}</td>
                  <td className="soft">{one.created_at && day(one.created_at)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {creating && <CreateDatabase onClose={() => setCreating(false)} />}
    </div>
  )
}

function CreateDatabase({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetDatabases()
  const [name, setName] = useState('')
  const [title, setTitle] = useState('')
  const [language, setLanguage] = useState<string>(useLanguage())
  const [busy, setBusy] = useState(false)
  const create = async () => {
    setBusy(true)
    try {
      const made = await createDatabase({ name, manager_title: title, manager_language: language })
      await forget()
      await navigate({ to: '/databases/$id', params: { id: String(made.id) } })
    } catch (error) {
      toast.bad(errorText(error))
      setBusy(false)
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.databases.createTitle')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        <TextInput
          label={t('area.databases.name')}
          maxLength={200}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={t('area.databases.managerTitle')}
          description={t('area.databases.managerTitleHint')}
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Select
          label={t('area.databases.managerLanguage')}
          allowDeselect={false}
          data={LANGUAGES.map((word) => ({ value: word, label: t(`area.account.languages.${word}`) }))}
          value={language}
          onChange={(word) => word && setLanguage(word)}
        />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button loading={busy} disabled={!name.trim()} onClick={create}>
            {t('create')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
