import type { Preview } from '../api/imports'
import type { Draft, Mapping } from './draft'

/** What every step of the wizard is given. `mapping`: where columns go, guessed or given. */
export type StepProps = {
  draft: Draft
  put: (part: Partial<Draft>) => void
}
export type PreviewedProps = StepProps & { preview: Preview; mapping: Mapping }
