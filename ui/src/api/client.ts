/** One door to the HTTP API: errors as one class, the CSRF token on unsafe calls, and what happens when the session ends. */

export type Problem = { code: string; message: string; place: string | null }

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

type Query = Record<string, string | number | boolean | null | undefined>
type Options = { query?: Query; body?: unknown; signal?: AbortSignal }

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

/** The address of an API path with its query, for links and event streams. */
export function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()
  return BASE + path + (search ? `?${search}` : '')
}

/** @throws ApiError, also when the server cannot be reached (status 0, code `unreachable`). */
export async function call<T>(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  options: Options = {},
): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET' && csrfToken) headers['X-CSRF-Token'] = csrfToken
  const isForm = options.body instanceof FormData
  if (options.body !== undefined && !isForm) headers['Content-Type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(address(path, options.query), {
      method,
      headers,
      credentials: 'same-origin',
      signal: options.signal,
      body: options.body === undefined ? undefined : isForm ? (options.body as FormData) : JSON.stringify(options.body),
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new ApiError(0, 'unreachable', 'The server cannot be reached.')
  }
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T
  const error = await readError(response)
  if (error.status === 401 && path !== '/session') onSessionEnd()
  throw error
}

async function readError(response: Response): Promise<ApiError> {
  try {
    const { error } = await response.json()
    return new ApiError(response.status, error.code, error.message, error.place, error.problems ?? [])
  } catch {
    return new ApiError(response.status, 'broken_answer', `The server answered with status ${response.status}.`)
  }
}
