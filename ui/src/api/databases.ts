import { useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'

export type Database = Shapes['DatabaseShape']
export type ProfileField = Shapes['FieldShape']
export type Conversion = Shapes['ConversionPreviewShape']
export type FieldChange = Shapes['ChangedField']

const RENEW_MS = 1_500

export function useDatabase(id: number) {
  return useQuery({
    queryKey: ['database', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/databases/{database_id}', { params: { path: { database_id: id } }, signal })),
  })
}

/** Everything read of databases is out of date. */
export function useForgetDatabases() {
  const client = useQueryClient()
  return () =>
    Promise.all(
      [['databases'], ['database'], ['database-figures']].map((queryKey) => client.invalidateQueries({ queryKey })),
    )
}

export const createDatabase = (body: { name: string; manager_title: string; manager_language: string }) =>
  answer(api.POST('/databases', { body: { ...body, description: '' } }))

export const changeDatabase = (id: number, body: Shapes['ChangedDatabase']) =>
  answer(api.PUT('/databases/{database_id}', { params: { path: { database_id: id } }, body }))

export const deleteDatabase = (id: number) =>
  answer(api.DELETE('/databases/{database_id}', { params: { path: { database_id: id } } }))

export const wipeDatabase = (id: number, name: string) =>
  answer(api.POST('/databases/{database_id}/wipe', { params: { path: { database_id: id } }, body: { name } }))

export function useDatabaseFigures(id: number) {
  return useQuery({
    queryKey: ['database-figures', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/databases/{database_id}/statistics', { params: { path: { database_id: id } }, signal })),
    refetchInterval: ({ state }) => (state.data?.counting ? RENEW_MS : false),
  })
}

export const countDatabase = (id: number) =>
  answer(api.POST('/databases/{database_id}/statistics', { params: { path: { database_id: id } } }))

export const addField = (id: number, body: Shapes['NewField']) =>
  answer(api.POST('/databases/{database_id}/fields', { params: { path: { database_id: id } }, body }))

const path = (database_id: number, name: string) => ({ params: { path: { database_id, name } } })

export const changeField = (id: number, name: string, body: FieldChange) =>
  answer(api.PATCH('/databases/{database_id}/fields/{name}', { ...path(id, name), body }))

export const deleteField = (id: number, name: string) =>
  answer(api.DELETE('/databases/{database_id}/fields/{name}', path(id, name)))

export const previewConversion = (id: number, name: string, type: string, options: string[] | null) =>
  answer(
    api.POST('/databases/{database_id}/fields/{name}/conversion/preview', {
      ...path(id, name),
      body: { type, options },
    }),
  )

export const convertField = (
  id: number,
  name: string,
  type: string,
  options: string[] | null,
  misfits: 'refuse' | 'clear',
) =>
  answer(
    api.POST('/databases/{database_id}/fields/{name}/conversion', {
      ...path(id, name),
      body: { type, options, misfits },
    }),
  )
