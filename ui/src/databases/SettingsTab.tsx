import { Alert, Button, Group, Modal, MultiSelect, Select, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { changeDatabase, deleteDatabase, useForgetDatabases, wipeDatabase, type Database } from '../api/databases'
import { errorText } from '../api/errorText'
import { suspendEverybody } from '../api/resources'
import { useSession } from '../api/session'
import { toast } from '../components/toasts'
import { LANGUAGES, settingText } from '../i18n'
import { RelationTypes } from '../relations/RelationTypes'

/** Texts of a database, what recipients see of it, and its end. */
export function SettingsTab({ database }: { database: Database }) {
  const { t } = useTranslation()
  const forget = useForgetDatabases()
  const master = useSession().data?.user.role === 'master'
  const [given, setGiven] = useState({
    name: database.name,
    description: database.description,
    manager_title: database.manager_title,
    manager_language: database.manager_language,
    manager_fields: database.manager_fields,
  })
  const put = (part: Partial<typeof given>) => setGiven({ ...given, ...part })
  const save = useMutation({
    mutationFn: () => changeDatabase(database.id, given),
    onSuccess: async () => {
      toast.good(t('area.databases.saved'))
      await forget()
    },
  })
  return (
    <Stack gap="lg" style={{ maxWidth: 760 }}>
      <div className="panel padded">
        <Stack gap="md">
          {save.isError && (
            <Alert color="red" variant="light" role="alert">
              {errorText(save.error)}
            </Alert>
          )}
          <TextInput
            label={t('area.databases.name')}
            maxLength={200}
            value={given.name}
            onChange={(event) => put({ name: event.currentTarget.value })}
          />
          <Textarea
            label={t('area.databases.description')}
            autosize
            minRows={2}
            maxLength={10_000}
            value={given.description}
            onChange={(event) => put({ description: event.currentTarget.value })}
          />
          <TextInput
            label={t('area.databases.managerTitle')}
            description={t('area.databases.managerTitleHint')}
            maxLength={200}
            value={given.manager_title}
            onChange={(event) => put({ manager_title: event.currentTarget.value })}
          />
          <Select
            label={t('area.databases.managerLanguage')}
            allowDeselect={false}
            data={LANGUAGES.map((word) => ({ value: word, label: t(`area.account.languages.${word}`) }))}
            value={given.manager_language}
            onChange={(word) => word && put({ manager_language: word })}
          />
          <MultiSelect
            label={t('area.databases.managerFields')}
            description={t('area.databases.managerFieldsHint')}
            searchable
            data={database.fields.map((field) => ({ value: field.name, label: settingText(field.title) }))}
            value={given.manager_fields}
            onChange={(fields) => put({ manager_fields: fields })}
          />
          <Group gap={8}>
            <Button disabled={!given.name.trim()} loading={save.isPending} onClick={() => save.mutate()}>
              {t('save')}
            </Button>
            <Button
              variant="default"
              component="a"
              href={`/api/v2/databases/${database.id}/manager-page?lang=${given.manager_language}`}
              target="_blank"
              rel="noreferrer"
            >
              {t('area.resources.preview')}
            </Button>
          </Group>
        </Stack>
      </div>
      <RelationTypes database={database.id} />
      <Brake database={database} />
      {master && <Danger database={database} />}
    </Stack>
  )
}

/** Suspends the subscriptions of everybody, or lets them come back. */
function Brake({ database }: { database: Database }) {
  const { t } = useTranslation()
  const [sure, setSure] = useState(false)
  const begin = useMutation({
    mutationFn: (resume: boolean) => suspendEverybody(database.id, { resume }),
    onSuccess: () => toast.good(t('area.resources.suspendStarted')),
    onError: (error) => toast.bad(errorText(error)),
    onSettled: () => setSure(false),
  })
  return (
    <section className="panel padded" aria-label={t('area.resources.suspend')}>
      <Text size="sm" c="var(--ink2)" mb="sm">
        {t('area.resources.suspendText')}
      </Text>
      <Group gap={8}>
        <Button variant="default" onClick={() => setSure(true)}>
          {t('area.resources.suspend')}
        </Button>
        <Button variant="default" loading={begin.isPending} onClick={() => begin.mutate(true)}>
          {t('area.resources.resume')}
        </Button>
      </Group>
      <Modal
        opened={sure}
        onClose={() => setSure(false)}
        title={<b>{t('area.resources.suspendSure', { name: database.name })}</b>}
        closeButtonProps={{ 'aria-label': t('close') }}
      >
        <Text size="sm" mb="md">
          {t('area.resources.suspendText')}
        </Text>
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={() => setSure(false)}>
            {t('cancel')}
          </Button>
          <Button color="red" loading={begin.isPending} onClick={() => begin.mutate(false)}>
            {t('area.resources.suspend')}
          </Button>
        </Group>
      </Modal>
    </section>
  )
}

function Danger({ database }: { database: Database }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetDatabases()
  const [typed, setTyped] = useState('')
  const wipe = useMutation({ mutationFn: () => wipeDatabase(database.id, typed) })
  const remove = useMutation({
    mutationFn: () => deleteDatabase(database.id),
    onSuccess: async () => {
      await forget()
      await navigate({ to: '/databases' })
    },
  })
  const failure = wipe.error ?? remove.error
  return (
    <section className="panel padded" aria-label={t('area.databases.danger')}>
      <h2>{t('area.databases.danger')}</h2>
      <Stack gap="md">
        {failure && (
          <Alert color="red" variant="light" role="alert">
            {errorText(failure)}
          </Alert>
        )}
        {wipe.data && (
          <Alert color="yellow" variant="light">
            {t('area.databases.wiping')}{' '}
            <Link to="/bulk-update" search={{ task: wipe.data.id }}>
              {t('area.databases.progress')}
            </Link>
          </Alert>
        )}
        <Text size="sm" c="var(--ink2)">
          {t('area.databases.wipeText')}
        </Text>
        <Group align="flex-end" gap={10}>
          <TextInput
            label={t('area.databases.typeName', { name: database.name })}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Button
            color="red"
            variant="light"
            disabled={typed.trim() !== database.name}
            loading={wipe.isPending}
            onClick={() => wipe.mutate()}
          >
            {t('area.databases.wipe')}
          </Button>
        </Group>
        <Group gap={10}>
          <Button color="red" variant="light" loading={remove.isPending} onClick={() => remove.mutate()}>
            {t('area.databases.remove')}
          </Button>
          <Text size="sm" c="var(--ink2)">
            {t('area.databases.removeText')}
          </Text>
        </Group>
      </Stack>
    </section>
  )
}
