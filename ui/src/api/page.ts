/** A page of a list; `next` is given as `after` or `before` for the page that follows. */
export type Page<T> = { items: T[]; next?: number | string | null }

export const allItems = <T>(pages: Page<T>[] | undefined): T[] => pages?.flatMap((page) => page.items) ?? []

/** How a list is read on by its numbers. */
export const byNumber = {
  initialPageParam: undefined as number | undefined,
  getNextPageParam: ({ next }: { next?: number | string | null }) => (next == null ? undefined : Number(next)),
}
