import { Menu, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'
import { IconCheck, IconDeviceDesktop, IconLogout, IconMoon, IconSun } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { changeLanguage, useLogOut, useSession } from '../api/session'
import { Initials } from '../components/Initials'
import { LANGUAGES, type Language } from '../i18n'

const NAMES: Record<Language, string> = { en: 'English', ru: 'Русский' }
const SCHEMES = { light: IconSun, dark: IconMoon, auto: IconDeviceDesktop }
const tick = <IconCheck size={15} />

export function UserMenu({ rail }: { rail: boolean }) {
  const { t, i18n } = useTranslation()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const user = useSession().data?.user
  const logOut = useLogOut()
  if (!user) return null
  const name = user.name || user.email
  const speak = (language: Language) => {
    void i18n.changeLanguage(language)
    /* The account remembers it too; the screen does not wait for that. */
    changeLanguage(language).catch(() => {})
  }
  return (
    <Menu position={rail ? 'right-end' : 'top-start'} width={230}>
      <Menu.Target>
        <button
          type="button"
          className="side-item"
          aria-label={`${t('user.menu')}: ${name}`}
          style={rail ? { padding: '0 6px' } : undefined}
        >
          <Initials size={28} name={name} />
          {!rail && <span className="side-name">{name}</span>}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{user.email}</Menu.Label>
        <Menu.Divider />
        <Menu.Label>{t('user.language')}</Menu.Label>
        {LANGUAGES.map((language) => (
          <Menu.Item
            key={language}
            lang={language}
            rightSection={i18n.language === language && tick}
            onClick={() => speak(language)}
          >
            {NAMES[language]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t('user.scheme')}</Menu.Label>
        {Object.entries(SCHEMES).map(([scheme, Icon]) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon size={16} />}
            rightSection={colorScheme === scheme && tick}
            onClick={() => setColorScheme(scheme as MantineColorScheme)}
          >
            {t(`user.${scheme}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => logOut.mutate()}>
          {t('user.logout')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
