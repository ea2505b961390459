import i18n from 'i18next'

function format(moment: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(i18n.language === 'en' ? 'en-GB' : i18n.language, options).format(new Date(moment))
}

/** “12 Nov 2026”. */
export const day = (moment: string) => format(moment, { day: 'numeric', month: 'short', year: 'numeric' })

/** “12 Nov 2026, 14:05”. */
export const moment = (value: string) =>
  format(value, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' })

/** “12 Nov, 14:05:09”, for steps that follow each other within seconds. */
export const momentToTheSecond = (value: string) =>
  format(value, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' })

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/** “5 minutes ago”, “in 2 days”; `now` in milliseconds. */
export function fromNow(value: string, now: number): string {
  const seconds = (new Date(value).getTime() - now) / 1000
  const [unit, length] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
  return new Intl.RelativeTimeFormat(i18n.language, { numeric: 'auto' }).format(Math.round(seconds / length), unit)
}
