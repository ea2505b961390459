/** Durations as scenario documents write them: `1d 2h 30m 10s`. */
export const UNITS = ['d', 'h', 'm', 's'] as const
export type Unit = (typeof UNITS)[number]
export type Parts = Record<Unit, number>

const SECONDS: Record<string, number> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 }

/** The parts of a duration, or null if the text is none. */
export function parseDuration(text: string): Parts | null {
  const pieces = [...text.matchAll(/(\d{1,9})\s*([wdhms])/gi)]
  if (!pieces.length || text.replace(/(\d{1,9})\s*([wdhms])/gi, '').trim()) return null
  return split(pieces.reduce((sum, [, amount, unit]) => sum + Number(amount) * (SECONDS[unit!.toLowerCase()] ?? 0), 0))
}

function split(seconds: number): Parts {
  const parts: Parts = { d: 0, h: 0, m: 0, s: 0 }
  for (const unit of UNITS) {
    const length = SECONDS[unit]!
    parts[unit] = Math.floor(seconds / length)
    seconds %= length
  }
  return parts
}

/** The normal form, without zeros. */
export function formatDuration(parts: Parts): string {
  return UNITS.filter((unit) => parts[unit] > 0)
    .map((unit) => `${parts[unit]}${unit}`)
    .join(' ')
}
