import { Button, Popover, Select } from '@mantine/core'
import { IconCopy } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../../api/errorText'
import { useDatabases, useNamed } from '../../api/lookups'
import { getSegment } from '../../api/segments'
import { toast } from '../../components/toasts'
import type { FormContext } from '../SchemaForm'
import { readTree, type Group } from './tree'

/** Copies the rules of a segment of the same database; later changes of the segment do not follow. */
export function CopyRules({ context, onCopy }: { context: FormContext; onCopy: (rules: Group) => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const { items } = useNamed('segment')
  const { data: databases } = useDatabases()
  const base = databases?.find(({ id, name }) => id === context.database || name === context.database)?.id
  const offered = items.filter((one) => one.database_id === base && one.kind !== 'static')
  if (!offered.length) return null
  const copy = async (id: string) => {
    setOpen(false)
    try {
      const { rules } = await getSegment(Number(id))
      if (rules) onCopy(readTree(rules))
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" withArrow trapFocus>
      <Popover.Target>
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          leftSection={<IconCopy size={13} />}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {t('area.rules.copy')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown style={{ width: 280 }}>
        <Select
          size="xs"
          label={t('area.rules.copyFrom')}
          description={t('area.rules.copyHint')}
          searchable
          comboboxProps={{ withinPortal: false }}
          nothingFoundMessage={t('form.nothing')}
          data={offered.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={null}
          onChange={(id) => id && void copy(id)}
        />
      </Popover.Dropdown>
    </Popover>
  )
}
