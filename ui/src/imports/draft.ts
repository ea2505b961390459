/** An import as it is being prepared, and what is asked of the server for it. */
import type {
  ImportOrder,
  Options,
  Preview,
  PreviewOrder,
  Reading,
  Subscription,
  Target,
  Uploaded,
} from '../api/imports'

export type Mapping = Record<string, Target>
export type Draft = {
  database: number | null
  files: Uploaded[]
  reading: Reading
  /** Null while the guesses of the server stand. */
  mapping: Mapping | null
  constants: { field: string; value: string }[]
  mode: NonNullable<Options['mode']>
  matching: NonNullable<Options['matching']> | null
  fieldName: string | null
  subscriptions: Subscription[]
  skipInvalid: boolean
  skipTriggers: boolean
  addTo: number[]
  removeFrom: number[]
  newSegment: string
}

export const READING: Reading = { encoding: null, delimiter: null, quote: '"', has_header: true, sheet: null }
export const EMPTY: Draft = {
  database: null,
  files: [],
  reading: READING,
  mapping: null,
  constants: [],
  mode: 'create_update',
  matching: null,
  fieldName: null,
  subscriptions: [],
  skipInvalid: false,
  skipTriggers: false,
  addTo: [],
  removeFrom: [],
  newSegment: '',
}

export const targetOf = (field: string): Target => ({ field, separator: ',', add: false, clear_empty: false })

/** Where columns go, as the server guessed. */
export function guesses(preview: Preview | undefined): Mapping {
  const pairs = (preview?.columns ?? []).flatMap(({ name, target }) => (target ? [[name, target] as const] : []))
  return Object.fromEntries(pairs)
}

/** By what profiles are found unless the user says: by what the file has. */
export function usualMatching(mapping: Mapping): NonNullable<Draft['matching']> {
  const fields = new Set(Object.values(mapping).map(({ field }) => field))
  if (fields.has('email')) return 'email'
  if (fields.has('phones')) return 'phone'
  return fields.has('profile_id') ? 'profile_id' : 'email'
}

/** Targets that a matching needs and the mapping lacks. Of e-mail and phone one is enough. */
export function missingKeys(matching: string, fieldName: string | null, draft: Draft, mapping: Mapping): string[] {
  const present = new Set([
    ...Object.values(mapping).map(({ field }) => field),
    ...draft.constants.map(({ field }) => field),
  ])
  if (matching.startsWith('email_phone'))
    return present.has('email') || present.has('phones') ? [] : ['email', 'phones']
  const needed: string[] =
    matching === 'custom'
      ? fieldName
        ? [fieldName]
        : []
      : matching === 'none'
        ? []
        : matching === 'profile_id'
          ? ['profile_id']
          : matching === 'push_sub'
            ? ['_provider', '_subscription_id']
            : [matching.startsWith('email') ? 'email' : 'phones']
  return needed.filter((name) => !present.has(name))
}

export function previewOrder(draft: Draft, mapping: Mapping | null): PreviewOrder | null {
  if (draft.database === null || !draft.files.length) return null
  return {
    database: draft.database,
    files: draft.files.map(({ key, name }) => ({ key, name })),
    reading: draft.reading,
    options: mapping ? { mapping } : {},
  }
}

export function importOrder(draft: Draft, mapping: Mapping): ImportOrder | null {
  const order = previewOrder(draft, mapping)
  if (!order) return null
  const matching = draft.matching ?? usualMatching(mapping)
  const given = draft.constants.filter(({ field, value }) => field && value)
  const options: Options = {
    mapping,
    mode: draft.mode,
    matching,
    field_name: matching === 'custom' ? draft.fieldName : null,
    constants: Object.fromEntries(given.map(({ field, value }) => [field, value])),
    subscriptions: draft.subscriptions,
    skip_invalid_subscriptions: draft.skipInvalid,
    skip_triggers: draft.skipTriggers,
    add_to_segments: draft.addTo,
    remove_from_segments: draft.removeFrom,
  }
  return { ...order, options, ...(draft.newSegment.trim() ? { new_segment: draft.newSegment.trim() } : {}) }
}
