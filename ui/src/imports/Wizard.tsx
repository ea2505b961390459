import { Alert, Button, Stepper } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { usePreview } from '../api/imports'
import { useDatabases } from '../api/lookups'
import { LoadFailure, Waiting } from '../components/states'
import { ActionsStep } from './ActionsStep'
import { CheckStep } from './CheckStep'
import { EMPTY, guesses, missingKeys, previewOrder, usualMatching, type Draft } from './draft'
import { MappingStep } from './MappingStep'
import { ReadingStep } from './ReadingStep'
import { SourceStep } from './SourceStep'

const STEPS = ['source', 'reading', 'mapping', 'actions', 'check'] as const

type Props = { database: number | undefined; onStarted: (task: number) => void; onLeave: () => void }

/** From a file to an import, step by step. Every step behind can be gone back to. */
export function Wizard({ database, onStarted, onLeave }: Props) {
  const { t } = useTranslation()
  const databases = useDatabases()
  const [given, setDraft] = useState<Draft>({ ...EMPTY, database: database ?? null })
  const [step, setStep] = useState(0)
  const draft = { ...given, database: given.database ?? databases.data?.[0]?.id ?? null }
  const put = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }))
  const guessed = usePreview(previewOrder(draft, null))
  const judged = usePreview(draft.mapping ? previewOrder(draft, draft.mapping) : null)
  const preview = guessed.data
  const mapping = draft.mapping ?? guesses(preview)
  const matching = draft.matching ?? usualMatching(mapping)
  const ready = [
    draft.database !== null && draft.files.length > 0,
    !!preview && !guessed.isError,
    Object.keys(mapping).length > 0,
    !missingKeys(matching, draft.fieldName, draft, mapping).length &&
      (matching !== 'custom' || !!draft.fieldName) &&
      draft.subscriptions.every(({ channel, column }) => column || ['email', 'sms'].includes(channel)),
    true,
  ]
  const reachable = (to: number) => to <= step || ready.slice(0, to).every(Boolean)
  if (databases.isError) return <LoadFailure error={databases.error} retry={databases.refetch} />
  if (databases.isPending) return <Waiting rows={5} />
  const shown = preview && !guessed.isError ? { draft, put, preview, mapping } : null
  return (
    <>
      <Stepper active={step} onStepClick={(to) => reachable(to) && setStep(to)} size="sm" mb="lg" wrap={false}>
        {STEPS.map((name, index) => (
          <Stepper.Step key={name} label={t(`area.imports.steps.${name}`)} allowStepSelect={reachable(index)} />
        ))}
      </Stepper>
      <div className="panel padded">
        {step > 0 && guessed.isError && (
          <Alert color="red" variant="light" role="alert" mb="md">
            {errorText(guessed.error)}
            <div>
              <Button mt="sm" size="compact-sm" variant="default" onClick={() => put({ reading: EMPTY.reading })}>
                {t('area.imports.detectAgain')}
              </Button>
            </div>
          </Alert>
        )}
        {step > 0 && guessed.isPending && <Waiting rows={6} />}
        {step === 0 && <SourceStep draft={draft} put={put} />}
        {step === 1 && shown && <ReadingStep {...shown} />}
        {step === 2 && shown && (
          <MappingStep
            {...shown}
            judged={(draft.mapping ? judged.data : preview)?.columns ?? shown.preview.columns}
            guessed={shown.preview.columns}
          />
        )}
        {step === 3 && shown && <ActionsStep {...shown} />}
        {step === 4 && shown && <CheckStep {...shown} onStarted={onStarted} />}
      </div>
      <div style={{ display: 'flex', justifyContent: 'space-between', marginTop: 16 }}>
        <Button variant="default" onClick={() => (step === 0 ? onLeave() : setStep(step - 1))}>
          {t(step === 0 ? 'area.imports.leave' : 'back')}
        </Button>
        {step < STEPS.length - 1 && (
          <Button disabled={!ready[step]} onClick={() => setStep(step + 1)}>
            {t('area.imports.next')}
          </Button>
        )}
      </div>
    </>
  )
}
