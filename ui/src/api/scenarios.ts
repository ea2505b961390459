import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Language } from '../i18n'
import { address, answer, api, type Shapes } from './client'
import { byNumber } from './page'

export type Settings = Record<string, unknown>
export type Description = Shapes['NodeDescription']
export type Category = Description['category']
export type Port = Shapes['PortShape']
export type NodeDocument = Required<Shapes['NodeDocument']> & { position: { x: number; y: number } }
export type Reentry = { mode: ReentryMode; min_interval?: string | null }
export type ReentryMode = NonNullable<Shapes['Reentry']['mode']>
export type ScenarioDocument = Omit<Required<Shapes['ScenarioDocument']>, 'nodes' | 'reentry'> & {
  reentry: Reentry
  nodes: NodeDocument[]
}
export type Scenario = Omit<Shapes['ScenarioShape'], 'document'> & { document: ScenarioDocument }
export type ScenarioRow = Shapes['ScenarioRow']
export type Statistics = Shapes['StatisticsShape']
export type NodeFigures = Shapes['NodeShape']
export type MessageFigures = NonNullable<NodeFigures['messages']>
export type Person = Shapes['PersonShape']
export type NodeType = Omit<Shapes['NodeTypeShape'], 'schema'> & { schema: JsonSchema }
export type Period = { from?: string; to?: string }

export type JsonSchema = {
  type?: string
  title?: string
  description?: string
  default?: unknown
  enum?: (string | number)[]
  const?: unknown
  anyOf?: JsonSchema[]
  allOf?: JsonSchema[]
  $ref?: string
  $defs?: Record<string, JsonSchema>
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema
  minimum?: number
  exclusiveMinimum?: number
  maximum?: number
  maxLength?: number
  'x-widget'?: string
  'x-source'?: string
  'x-show-if'?: Record<string, unknown>
  'x-words'?: Record<string, string>
}

/* The server fills in every part of a document that may be left out, which its description cannot say. */
const whole = async (call: Promise<{ data?: Shapes['ScenarioShape'] }>) => (await answer(call)) as Scenario
const at = (id: number) => ({ path: { scenario_id: id } })

export function useScenarios(search: string) {
  return useInfiniteQuery({
    queryKey: ['scenarios', search],
    queryFn: ({ pageParam, signal }) =>
      answer(api.GET('/scenarios', { params: { query: { search, after: pageParam, limit: 50 } }, signal })),
    ...byNumber,
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  })
}

export const loadScenario = (id: number, language: Language, signal?: AbortSignal) =>
  whole(api.GET('/scenarios/{scenario_id}', { params: { ...at(id), query: { language } }, signal }))

export function useScenario(id: number, language: Language) {
  return useQuery({
    queryKey: ['scenario', id, language],
    queryFn: ({ signal }) => loadScenario(id, language, signal),
    refetchOnWindowFocus: false,
    staleTime: Infinity,
    gcTime: 0,
  })
}

export const createScenario = (document: { name: string; database: number; reentry: Reentry }) =>
  whole(api.POST('/scenarios', { body: document }))

export const saveScenario = (id: number, revision: number, document: ScenarioDocument, language: Language) =>
  whole(
    api.PUT('/scenarios/{scenario_id}', {
      params: { ...at(id), query: { language } },
      body: { revision, document: document as unknown as Record<string, never> },
    }),
  )

/** Where people of removed steps go, by the step's number. */
export type Moves = Record<number, number | 'exit' | 'stay'>

export const publishScenario = (id: number, acceptSandbox: boolean, takeAlong = false, moves: Moves = {}) =>
  whole(
    api.POST('/scenarios/{scenario_id}/publish', {
      params: at(id),
      body: { accept_sandbox: acceptSandbox, take_along: takeAlong, moves },
    }),
  )

export type EditPreview = Shapes['EditPreviewShape']

/** What publishing the draft would mean; asked anew each time. */
export function useEditPreview(id: number, language: Language, wanted: boolean) {
  return useQuery({
    queryKey: ['edit-preview', id, language],
    queryFn: ({ signal }) =>
      answer(api.GET('/scenarios/{scenario_id}/edit-preview', { params: { ...at(id), query: { language } }, signal })),
    enabled: wanted,
    gcTime: 0,
    staleTime: 0,
  })
}

export function useMigrations(id: number) {
  return useQuery({
    queryKey: ['scenarios', 'migrations', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/scenarios/{scenario_id}/migrations', { params: { ...at(id), query: { limit: 1 } }, signal })),
    select: (page) => page.items[0],
  })
}

export const undoMigration = (id: number, migration: number) =>
  answer(
    api.POST('/scenarios/{scenario_id}/migrations/{migration_id}/undo', {
      params: { path: { scenario_id: id, migration_id: migration } },
    }),
  )

export const letOn = (id: number, person: Person) =>
  answer(
    api.POST('/scenarios/{scenario_id}/passages/{passage_id}/move-on', {
      params: { path: { scenario_id: id, passage_id: person.passage_id } },
      body: { profile_id: person.profile_id },
    }),
  )

export const takeOut = (id: number, person: Person) =>
  answer(
    api.POST('/scenarios/{scenario_id}/passages/{passage_id}/remove', {
      params: { path: { scenario_id: id, passage_id: person.passage_id } },
      body: { profile_id: person.profile_id },
    }),
  )

export const activateScenario = (id: number) => whole(api.POST('/scenarios/{scenario_id}/activate', { params: at(id) }))

export const stopScenario = (id: number, clear: boolean) =>
  whole(api.POST('/scenarios/{scenario_id}/stop', { params: at(id), body: { clear } }))

export function useNodeTypes(language: Language) {
  return useQuery({
    queryKey: ['node-types', language],
    queryFn: ({ signal }) => answer(api.GET('/node-types', { params: { query: { language } }, signal })),
    select: (page) => page.items as NodeType[],
    staleTime: Infinity,
  })
}

export const describeNode = (
  type: string,
  settings: Settings,
  scenarioId: number,
  language: Language,
  signal: AbortSignal,
) =>
  answer(
    api.POST('/node-types/{type_code}/describe', {
      params: { path: { type_code: type } },
      body: { settings: settings as Record<string, never>, scenario_id: scenarioId, language },
      signal,
    }),
  )

export function useStatistics(id: number, period: Period) {
  return useQuery({
    queryKey: ['statistics', id, period],
    queryFn: ({ signal }) =>
      answer(api.GET('/scenarios/{scenario_id}/statistics', { params: { ...at(id), query: period }, signal })),
    placeholderData: keepPreviousData,
  })
}

export const statisticsStream = (id: number, period: Period) => address(`/scenarios/${id}/statistics/stream`, period)

export function usePeopleAt(scenarioId: number, nodeId: number) {
  return useInfiniteQuery({
    queryKey: ['people-at', scenarioId, nodeId],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/scenarios/{scenario_id}/nodes/{node_id}/profiles', {
          params: { path: { scenario_id: scenarioId, node_id: nodeId }, query: { after: pageParam, limit: 50 } },
          signal,
        }),
      ),
    ...byNumber,
    refetchInterval: 5_000,
  })
}

/** Forget what is known of lists that contain the scenario. */
export function useForgetScenarios() {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: ['scenarios'] })
}
