import { Alert, Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type SubmitEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import { createScenario, useForgetScenarios, type ScenarioDocument } from '../api/scenarios'
import { ReentryFields } from './ReentryFields'

/** What is settled before the canvas opens: name, profile database, re-entry. */
export function CreateScenario({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetScenarios()
  const databases = useDatabases()
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<string | null>(null)
  const [reentry, setReentry] = useState<ScenarioDocument['reentry']>({ mode: 'never', min_interval: null })
  const choices = databases.data?.map((database) => ({ value: String(database.id), label: database.name })) ?? []
  const database = chosen ?? (choices.length === 1 ? choices[0]!.value : null)
  const create = useMutation({
    mutationFn: () => createScenario({ name: name.trim(), database: Number(database), reentry }),
    onSuccess: async (scenario) => {
      void forget()
      await navigate({ to: '/scenarios/$id', params: { id: String(scenario.id) } })
    },
  })
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    create.mutate()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<b>{t('scenarios.new')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <form onSubmit={submit}>
        <Stack gap="md">
          {create.isError && (
            <Alert color="red" variant="light" role="alert">
              {errorText(create.error)}
            </Alert>
          )}
          <TextInput
            label={t('scenarios.name')}
            required
            maxLength={200}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label={t('scenarios.database')}
            description={t('scenarios.databaseText')}
            required
            allowDeselect={false}
            placeholder={t('form.choose')}
            error={databases.data?.length === 0 && t('scenarios.noDatabases')}
            data={choices}
            value={database}
            onChange={setChosen}
          />
          <ReentryFields value={reentry} onChange={setReentry} />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button type="submit" loading={create.isPending} disabled={!name.trim() || database === null}>
              {t('create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
