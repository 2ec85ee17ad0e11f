import type { ReactNode } from 'react';
import type { Connection } from '../feed/link.ts';
import { ConnectionState } from './connection.tsx';
import {
  BudgetsIcon,
  KeyboardIcon,
  LeaveIcon,
  LiveIcon,
  Mark,
  MoonIcon,
  PlaygroundIcon,
  RequestsIcon,
  SunIcon,
  SystemIcon,
} from './icons.tsx';
import { hashOf, type View } from './route.ts';
import { chooseTheme, THEMES, type ThemeChoice, useThemeChoice } from './theme.ts';

const TABS: Record<View, { label: string; icon: () => ReactNode }> = {
  playground: { label: 'Playground', icon: PlaygroundIcon },
  live: { label: 'Live', icon: LiveIcon },
  requests: { label: 'Requests', icon: RequestsIcon },
  budgets: { label: 'Budgets', icon: BudgetsIcon },
};

interface HeaderProps {
  views: readonly View[];
  view: View;
  connection: Connection;
  onKeys(): void;
  onLeave(): void;
}

export function Header({ views, view, connection, onKeys, onLeave }: HeaderProps) {
  return (
    <header className="head">
      <span className="mark">
        <Mark />
        Gateway
      </span>
      <nav aria-label="Views" className="tabs">
        {views.map((name, index) => (
          <a
            key={name}
            href={hashOf({ view: name })}
            aria-current={name === view ? 'page' : undefined}
            title={`${TABS[name].label} (${index + 1})`}
          >
            {TABS[name].icon()}
            {TABS[name].label}
          </a>
        ))}
      </nav>
      <div className="tools">
        <ConnectionState connection={connection} />
        <ThemeButton />
        <button type="button" className="icon keys" title="Keyboard shortcuts (?)" onClick={onKeys}>
          <KeyboardIcon />
          <span className="sr">Keyboard shortcuts</span>
        </button>
        <button type="button" className="icon" title="Sign out" onClick={onLeave}>
          <LeaveIcon />
          <span className="sr">Sign out</span>
        </button>
      </div>
    </header>
  );
}

const THEME_ICONS: Record<ThemeChoice, () => ReactNode> = {
  system: SystemIcon,
  light: SunIcon,
  dark: MoonIcon,
};

export function ThemeButton() {
  const theme = useThemeChoice();
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  return (
    <button
      type="button"
      className="icon"
      title={`Theme: ${theme}; switch to ${next}`}
      onClick={() => chooseTheme(next)}
    >
      {THEME_ICONS[theme]()}
      <span className="sr">
        Theme: {theme}; switch to {next}
      </span>
    </button>
  );
}
