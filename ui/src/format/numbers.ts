import i18n from 'i18next'

const formats = new Map<string, Intl.NumberFormat>()

function format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = i18n.language + JSON.stringify(options)
  let found = formats.get(key)
  if (!found) formats.set(key, (found = new Intl.NumberFormat(i18n.language, options)))
  return found
}

/** 12480 as “12,480” or “12 480”. */
export const number = (value: number) => format({}).format(value)

/** A share of a whole as “47%”; a dash when the whole is zero. */
export const share = (part: number, whole: number) =>
  whole > 0
    ? format({ style: 'percent', maximumFractionDigits: part > 0 && part / whole < 0.01 ? 1 : 0 }).format(part / whole)
    : '–'
