import { useId } from 'react'

export function Logo({ size = 30 }: { size?: number }) {
  const id = useId()
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <defs>
        <linearGradient id={id} x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stopColor="#7c8cf5" />
          <stop offset="1" stopColor="#4a5fe6" />
        </linearGradient>
      </defs>
      <rect width="32" height="32" rx="9" fill={`url(#${id})`} />
      <path d="M9 21c4 0 3-10 7-10s3 10 7 10" fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
      <circle cx="9" cy="21" r="2.4" fill="#fff" />
      <circle cx="23" cy="21" r="2.4" fill="#fff" />
    </svg>
  )
}
