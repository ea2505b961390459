/** One door to the HTTP API: errors as one class, the CSRF token on unsafe calls, and what happens when the session ends. */
import createClient, { type Middleware } from 'openapi-fetch'
import type { components, paths } from './schema'

export type Shapes = components['schemas']
export type Problem = { code: string; message: string; place?: string | null }

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly place: string | null = null,
    readonly problems: Problem[] = [],
  ) {
    super(message)
  }
}

const BASE = '/api/v2'
let csrfToken: string | null = null
let onSessionEnd: () => void = () => {}

export function setCsrfToken(token: string | null): void {
  csrfToken = token
}

/** What to do when the server says that nobody is logged in. */
export function whenSessionEnds(handler: () => void): void {
  onSessionEnd = handler
}

const door: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET' && csrfToken) request.headers.set('X-CSRF-Token', csrfToken)
    return request
  },
  async onResponse({ response, schemaPath }) {
    if (response.ok) return
    if (response.status === 401 && schemaPath !== '/session') onSessionEnd()
    throw await readError(response)
  },
  onError({ error, request }) {
    if (error instanceof ApiError || request.signal.aborted) return error as Error
    return new ApiError(0, 'unreachable', 'The server cannot be reached.')
  },
}

async function readError(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as Shapes['ErrorAnswer']
    return new ApiError(response.status, error.code, error.message, error.place, error.problems)
  } catch {
    return new ApiError(response.status, 'broken_answer', `The server answered with status ${response.status}.`)
  }
}

export const api = createClient<paths>({ baseUrl: BASE, credentials: 'same-origin' })
api.use(door)

/** What a call answers. @throws ApiError, also when the server cannot be reached (status 0, code `unreachable`). */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T
}

/** The address of a stream of events, with its query. */
export function address(path: string, query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const search = new URLSearchParams(given).toString()
  return BASE + path + (search ? `?${search}` : '')
}
