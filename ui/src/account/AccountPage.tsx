import { Alert, Button, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useAccount, useChangeAccount, useTimeZones, type Account } from '../api/account'
import { errorText } from '../api/errorText'
import { PageHead } from '../components/PageHead'
import { LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { LANGUAGES } from '../i18n'

/** What holds for the whole installation. */
export function AccountPage() {
  const { t } = useTranslation()
  const account = useAccount()
  return (
    <div className="page" style={{ maxWidth: 720 }}>
      <PageHead title={t('area.account.title')} subtitle={t('area.account.subtitle')} />
      <div className="panel padded">
        {account.isPending && <Waiting rows={3} />}
        {account.isError && <LoadFailure error={account.error} retry={account.refetch} />}
        {account.data && <AccountForm account={account.data} />}
      </div>
    </div>
  )
}

function AccountForm({ account }: { account: Account }) {
  const { t } = useTranslation()
  const zones = useTimeZones()
  const change = useChangeAccount()
  const [given, setGiven] = useState(account)
  const put = (part: Partial<Account>) => setGiven({ ...given, ...part })
  const changed = JSON.stringify(given) !== JSON.stringify(account)
  return (
    <Stack gap="md">
      {change.isError && (
        <Alert color="red" variant="light" role="alert">
          {errorText(change.error)}
        </Alert>
      )}
      <TextInput
        label={t('area.account.name')}
        maxLength={200}
        value={given.name}
        onChange={(event) => put({ name: event.currentTarget.value })}
      />
      <Select
        label={t('area.account.zone')}
        description={t('area.account.zoneHint')}
        searchable
        allowDeselect={false}
        data={zones.data ?? [given.time_zone]}
        value={given.time_zone}
        onChange={(zone) => zone && put({ time_zone: zone })}
      />
      <Select
        label={t('area.account.language')}
        allowDeselect={false}
        data={LANGUAGES.map((language) => ({ value: language, label: t(`area.account.languages.${language}`) }))}
        value={given.language}
        onChange={(language) => language && put({ language })}
      />
      <Button
        style={{ alignSelf: 'flex-start' }}
        disabled={!changed || !given.name.trim()}
        loading={change.isPending}
        onClick={() => change.mutate(given, { onSuccess: () => toast.good(t('area.account.saved')) })}
      >
        {t('save')}
      </Button>
    </Stack>
  )
}
