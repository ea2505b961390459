import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Language } from '../i18n'
import { address, call, type Problem } from './client'
import type { Page } from './page'

export type Tone = 'main' | 'yes' | 'no' | 'error'
export type Category = 'trigger' | 'channel' | 'operator' | 'action'
export type Settings = Record<string, unknown>
export type Port = { id: string; title: string; tone: Tone; optional: boolean }
export type ReentryMode = 'never' | 'after_exit' | 'restart' | 'parallel'

export type NodeDocument = {
  id: number
  type: string
  title: string
  comment: string
  position: { x: number; y: number }
  settings: Settings
  links: Record<string, number>
}

export type ScenarioDocument = {
  format: string
  name: string
  description: string
  tags: string[]
  database: number | string
  reentry: { mode: ReentryMode; min_interval: string | null }
  nodes: NodeDocument[]
}

/** What the canvas draws of a node beyond its document: it knows no node type by name. */
export type Description = {
  type_title: string
  icon: string
  category: Category
  ports: Port[]
  summary: string[]
  problems: Problem[]
}

export type Scenario = {
  id: number
  name: string
  database_id: number
  database_name: string
  active: boolean
  revision: number
  changed: boolean
  published_number: number | null
  published_at: string | null
  updated_at: string
  document: ScenarioDocument
  described: Record<string, Description>
  problems: Problem[]
}

export type ScenarioRow = Omit<Scenario, 'document' | 'described' | 'problems'> & { entered: number; inside: number }

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
}

export type NodeType = {
  type: string
  category: Category
  icon: string
  title: string
  description: string
  schema: JsonSchema
  ports: Port[]
  defaults: Settings
  takes_input: boolean
}

export type MessageFigures = {
  waiting: number
  sent: number
  opened: number
  clicked: number
  not_sent: number
  in_doubt: number
}

export type NodeFigures = {
  entered: number
  inside: number
  outputs: Record<string, number>
  failed: number
  messages: MessageFigures | null
}

export type Statistics = {
  totals: {
    entered: number
    inside: number
    completed: number
    failed: number
    removed: number
    restarted: number
    capped: number
  }
  nodes: Record<string, NodeFigures>
  links: { node: number; port: string; target: number; n: number }[]
}

export type Person = {
  profile_id: string
  passage_id: number
  entered_at: string
  due_at: string | null
  name?: string | null
  email?: string | null
  phone?: string | null
}

export type Period = { from?: string; to?: string }

export function useScenarios(search: string) {
  return useInfiniteQuery({
    queryKey: ['scenarios', search],
    queryFn: ({ pageParam, signal }) =>
      call<Page<ScenarioRow>>('GET', '/scenarios', { query: { search, after: pageParam, limit: 50 }, signal }),
    initialPageParam: null as string | number | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  })
}

export const scenarioKey = (id: number, language: string) => ['scenario', id, language]

export function useScenario(id: number, language: string) {
  return useQuery({
    queryKey: scenarioKey(id, language),
    queryFn: ({ signal }) => call<Scenario>('GET', `/scenarios/${id}`, { query: { language }, signal }),
    refetchOnWindowFocus: false,
    staleTime: Infinity,
    gcTime: 0,
  })
}

export const loadScenario = (id: number, language: string) =>
  call<Scenario>('GET', `/scenarios/${id}`, { query: { language } })

export const createScenario = (document: Partial<ScenarioDocument>) =>
  call<Scenario>('POST', '/scenarios', { body: document })

export const saveScenario = (id: number, revision: number, document: ScenarioDocument, language: string) =>
  call<Scenario>('PUT', `/scenarios/${id}`, { body: { revision, document }, query: { language } })

export const publishScenario = (id: number, acceptSandbox: boolean) =>
  call<Scenario>('POST', `/scenarios/${id}/publish`, { body: { accept_sandbox: acceptSandbox } })

export const activateScenario = (id: number) => call<Scenario>('POST', `/scenarios/${id}/activate`, { body: {} })

export const stopScenario = (id: number, clear: boolean) =>
  call<Scenario>('POST', `/scenarios/${id}/stop`, { body: { clear } })

export function useNodeTypes(language: string) {
  return useQuery({
    queryKey: ['node-types', language],
    queryFn: ({ signal }) => call<Page<NodeType>>('GET', '/node-types', { query: { language }, signal }),
    select: (page) => page.items,
    staleTime: Infinity,
  })
}

export const describeNode = (
  type: string,
  settings: Settings,
  scenarioId: number,
  language: string,
  signal: AbortSignal,
) =>
  call<Description>('POST', `/node-types/${encodeURIComponent(type)}/describe`, {
    body: { settings, scenario_id: scenarioId, language: language as Language },
    signal,
  })

export function useStatistics(id: number, period: Period) {
  return useQuery({
    queryKey: ['statistics', id, period],
    queryFn: ({ signal }) => call<Statistics>('GET', `/scenarios/${id}/statistics`, { query: period, signal }),
    placeholderData: keepPreviousData,
  })
}

export const statisticsStream = (id: number, period: Period) => address(`/scenarios/${id}/statistics/stream`, period)

export function usePeopleAt(scenarioId: number, nodeId: number) {
  return useInfiniteQuery({
    queryKey: ['people-at', scenarioId, nodeId],
    queryFn: ({ pageParam, signal }) =>
      call<Page<Person>>('GET', `/scenarios/${scenarioId}/nodes/${nodeId}/profiles`, {
        query: { after: pageParam, limit: 50 },
        signal,
      }),
    initialPageParam: null as string | number | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: 5_000,
  })
}

/** Forget what is known of lists that contain the scenario. */
export function useForgetScenarios() {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: ['scenarios'] })
}
