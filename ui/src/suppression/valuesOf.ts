const ENTRY = /@|\*|^\+?[\d ()-]{7,}$|^[0-9a-f]{32}$|\./i

/** One value a line; of a line with several cells the first that can be one. Headers are no values. */
export const valuesOf = (text: string) =>
  text
    .split(/\r?\n/)
    .map((line) => line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"|"$/g, '')))
    .map((cells) => cells.find((cell) => ENTRY.test(cell)) ?? '')
    .filter(Boolean)
