import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Language } from '../i18n'
import { answer, api, type Shapes } from './client'

export type Period = Shapes['PeriodShape']

export function usePeriods(language: Language) {
  return useQuery({
    queryKey: ['retention', language],
    queryFn: ({ signal }) => answer(api.GET('/retention', { params: { query: { language } }, signal })),
  })
}

/** What a period would take away now. */
export function useEffectOf(kind: string, days: number | null) {
  return useQuery({
    queryKey: ['retention-effect', kind, days],
    queryFn: ({ signal }) =>
      answer(api.GET('/retention/{kind}/effect', { params: { path: { kind }, query: { days: days! } }, signal })),
    enabled: days !== null,
    retry: false,
  })
}

export function useSetPeriod() {
  const client = useQueryClient()
  return async (kind: string, days: number | null) => {
    await answer(api.PUT('/retention/{kind}', { params: { path: { kind } }, body: { days } }))
    await client.invalidateQueries({ queryKey: ['retention'] })
  }
}

/** What is kept about a person. */
export function useHeld(profile: string, language: Language) {
  return useQuery({
    queryKey: ['held', profile, language],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/profiles/{profile_id}/held', {
          params: { path: { profile_id: profile }, query: { language } },
          signal,
        }),
      ),
  })
}

export const erasePerson = (profile: string) =>
  answer(
    api.POST('/profiles/{profile_id}/erase', { params: { path: { profile_id: profile } }, body: { confirm: profile } }),
  )

/** Where the personal data of a profile can be downloaded. */
export const personalDataAddress = (profile: string) => `/api/v2/profiles/${profile}/personal-data`
