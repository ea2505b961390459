import type { ReactNode } from 'react'
import { useEffect } from 'react'

type Props = { title: string; subtitle?: ReactNode; above?: ReactNode; children?: ReactNode }

/** Title of a page with its actions on the right; also names the browser's tab. */
export function PageHead({ title, subtitle, above, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Sojourn`
  }, [title])
  return (
    <header className="page-head">
      <div>
        {above}
        <h1 style={{ margin: 0 }}>{title}</h1>
        {subtitle && <div style={{ color: 'var(--ink2)' }}>{subtitle}</div>}
      </div>
      <div style={{ display: 'flex', gap: 8, alignItems: 'center' }}>{children}</div>
    </header>
  )
}
