/** A page of a list; `next` is given as `after` for the page that follows. */
export type Page<T> = { items: T[]; next: string | number | null }

export const allItems = <T>(pages: Page<T>[] | undefined): T[] => pages?.flatMap((page) => page.items) ?? []
