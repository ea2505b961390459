import { useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'

export type MergePreview = Shapes['MergePreviewShape']
export type Side = 'survivor' | 'merged'
export type RelationType = Shapes['RelationTypeShape']
export type Relation = Shapes['RelationShape']
export type Property = Shapes['PropertyShape']

const path = (profile_id: string) => ({ params: { path: { profile_id } } })

export function useMergePreview(id: string, other: string | undefined) {
  return useQuery({
    queryKey: ['merge-preview', id, other],
    enabled: other !== undefined,
    queryFn: ({ signal }) =>
      answer(
        api.GET('/profiles/{profile_id}/merge-preview', {
          params: { path: { profile_id: id }, query: { with: other! } },
          signal,
        }),
      ),
  })
}

export function useMerged(id: string) {
  return useQuery({
    queryKey: ['profile', id, 'merged'],
    queryFn: ({ signal }) => answer(api.GET('/profiles/{profile_id}/merged', { ...path(id), signal })),
  })
}

/** Some profiles by contact, number or `field:value`, of one database. */
export function useFound(database: number, search: string) {
  return useQuery({
    queryKey: ['found', database, search],
    enabled: search.trim().length > 1,
    queryFn: ({ signal }) =>
      answer(api.GET('/profiles', { params: { query: { database, search: search.trim(), limit: 8 } }, signal })),
  })
}

export const mergeProfiles = (id: string, other: string, choices: Record<string, Side>) =>
  answer(api.POST('/profiles/{profile_id}/merge', { ...path(id), body: { profile_id: other, choices } }))

export const undoMerge = (id: string, merged: string) =>
  answer(api.POST('/profiles/{profile_id}/undo-merge', { ...path(id), body: { profile_id: merged, choices: {} } }))

export const splitProfile = (id: string, body: Shapes['SplitOrder']) =>
  answer(api.POST('/profiles/{profile_id}/split', { ...path(id), body }))

export function useRelationTypes() {
  return useQuery({
    queryKey: ['relation-types'],
    queryFn: ({ signal }) => answer(api.GET('/relation-types', { params: { query: { limit: 500 } }, signal })),
  })
}

export function useForgetRelations() {
  const client = useQueryClient()
  return () =>
    Promise.all(
      [['relation-types'], ['relations'], ['named', 'relation_type']].map((queryKey) =>
        client.invalidateQueries({ queryKey }),
      ),
    )
}

export const createRelationType = (body: Shapes['NewRelationType']) => answer(api.POST('/relation-types', { body }))

export const changeRelationType = (type_id: number, body: Shapes['ChangedRelationType']) =>
  answer(api.PUT('/relation-types/{type_id}', { params: { path: { type_id } }, body }))

export const deleteRelationType = (type_id: number) =>
  answer(api.DELETE('/relation-types/{type_id}', { params: { path: { type_id } } }))

export const readRelations = (id: string, after: string | undefined, signal: AbortSignal) =>
  answer(
    api.GET('/profiles/{profile_id}/relations', {
      params: { path: { profile_id: id }, query: { after, limit: 50 } },
      signal,
    }),
  )

export const setRelation = (id: string, body: Shapes['RelationOrder']) =>
  answer(api.PUT('/profiles/{profile_id}/relations', { ...path(id), body }))

export const endRelation = (id: string, body: Shapes['EndedRelation']) =>
  answer(api.POST('/profiles/{profile_id}/relations/end', { ...path(id), body }))
