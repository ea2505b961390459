import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

const brand: MantineColorsTuple = [
  '#eef1ff',
  '#dde2fd',
  '#b8c2f8',
  '#8f9ef3',
  '#6d80ee',
  '#5367e6',
  '#4a5fe6',
  '#3c4fcd',
  '#3346b8',
  '#273ba3',
]
/* Mantine's own dark greys are brownish beside navy. */
const dark: MantineColorsTuple = [
  '#dfe4f0',
  '#aeb7cb',
  '#8d97ad',
  '#5b657d',
  '#333b4e',
  '#262d3d',
  '#1b202c',
  '#171b26',
  '#12151e',
  '#0d1017',
]
const fontFamily = "'Inter Variable', Inter, system-ui, sans-serif"

export const theme = createTheme({
  primaryColor: 'brand',
  primaryShade: { light: 6, dark: 5 },
  colors: { brand, dark },
  fontFamily,
  headings: { fontFamily, fontWeight: '650' },
  defaultRadius: 'md',
  radius: { sm: '6px', md: '8px', lg: '12px', xl: '14px' },
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 'lg' } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
    Menu: { defaultProps: { shadow: 'lg', radius: 'lg' } },
    Modal: { defaultProps: { radius: 'xl', centered: true, overlayProps: { backgroundOpacity: 0.35, blur: 1 } } },
  },
})

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5b6580',
    '--mantine-color-placeholder': '#667085',
    '--mantine-color-error': '#c9252b',
  },
  dark: {
    '--mantine-color-dimmed': '#aeb7cb',
    '--mantine-color-placeholder': '#8f99b0',
    '--mantine-color-error': '#ff8389',
  },
})
