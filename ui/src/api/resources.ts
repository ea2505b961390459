import { useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'

export type Resource = Shapes['ResourceShape']
export type FullResource = Shapes['FullResource']
export type ResourceOrder = Shapes['NewResource']
export type Category = Shapes['CategoryShape']
export type SubscriptionField = Shapes['SubscriptionFieldShape']

export const CHANNELS = ['email', 'sms', 'push', 'telegram', 'whatsapp', 'viber', 'notify']

/** Resources that are in use, or those put away. */
export function useResources(archived: boolean) {
  return useQuery({
    queryKey: ['resources', archived],
    queryFn: ({ signal }) => answer(api.GET('/resources', { params: { query: { archived, limit: 500 } }, signal })),
  })
}

export function useResource(id: number | undefined) {
  return useQuery({
    queryKey: ['resource', id],
    enabled: id !== undefined,
    queryFn: ({ signal }) =>
      answer(api.GET('/resources/{resource_id}', { params: { path: { resource_id: id! } }, signal })),
  })
}

/** Everything read of resources is out of date. */
export function useForgetResources() {
  const client = useQueryClient()
  return () =>
    Promise.all(
      [['resources'], ['resource'], ['named', 'resource']].map((queryKey) => client.invalidateQueries({ queryKey })),
    )
}

const path = (resource_id: number) => ({ params: { path: { resource_id } } })

export const createResource = (body: ResourceOrder) => answer(api.POST('/resources', { body }))
export const changeResource = (id: number, body: ResourceOrder) =>
  answer(api.PUT('/resources/{resource_id}', { ...path(id), body }))
export const copyResource = (id: number) => answer(api.POST('/resources/{resource_id}/copy', path(id)))
export const archiveResource = (id: number, archived: boolean) =>
  answer(api.POST('/resources/{resource_id}/archive', { ...path(id), body: { archived } }))
export const setCategories = (id: number, categories: Category[]) =>
  answer(api.PUT('/resources/{resource_id}/categories', { ...path(id), body: { categories } }))
export const setOwnFields = (id: number, fields: SubscriptionField[]) =>
  answer(api.PUT('/resources/{resource_id}/fields', { ...path(id), body: { fields } }))
export const suspendEverybody = (database_id: number, body: Shapes['SuspensionOrder']) =>
  answer(api.POST('/databases/{database_id}/suspension', { params: { path: { database_id } }, body }))
