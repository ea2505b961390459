const COLOURS = ['--c-trigger', '--c-channel', '--c-operator', '--c-action', '--yes', '--no']

type Props = { name: string; size?: number }

/** A round mark with the initials of a name that stands beside it. The letters come by CSS, so that no link or button is called by them. */
export function Initials({ name, size = 28 }: Props) {
  const words = name.split(/[\s@._+-]+/).filter(Boolean)
  const letters = words.length > 1 ? words[0]![0]! + words[1]![0]! : name.slice(0, 2)
  const sum = [...name].reduce((total, letter) => total + letter.codePointAt(0)!, 0)
  const colour = `var(${COLOURS[sum % COLOURS.length]})`
  return (
    <span
      className="initials"
      aria-hidden
      data-letters={letters.toUpperCase()}
      style={{ '--t': colour, width: size, height: size, fontSize: size * 0.38 } as object}
    />
  )
}
