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

/** A share of a whole as “47%”, small ones as “0.02%”; a dash when the whole is zero. */
export function share(part: number, whole: number): string {
  if (whole <= 0) return '–'
  const rate = part / whole
  const digits = rate > 0 && rate < 0.01 ? { maximumSignificantDigits: 1 } : { maximumFractionDigits: 0 }
  return format({ style: 'percent', ...digits }).format(rate)
}

/** A size of a file: “12 kB”, “3.4 MB”. */
export function bytes(size: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(size, 1)) / 3)))
  return format({ style: 'unit', unit: units[step], unitDisplay: 'short', maximumSignificantDigits: 3 }).format(
    size / 1000 ** step,
  )
}
