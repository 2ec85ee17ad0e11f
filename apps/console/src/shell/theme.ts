import { useSyncExternalStore } from 'react';

/** `system`: as the device has it. */
export type ThemeChoice = 'system' | 'light' | 'dark';
export const THEMES: readonly ThemeChoice[] = ['system', 'light', 'dark'];

const STORED = 'gateway-theme';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function chosen(): ThemeChoice {
  return THEMES.find(theme => theme === localStorage.getItem(STORED)) ?? 'system';
}

/** Puts the theme on the page: ahead of the first paint, and with each change. */
export function applyTheme(): void {
  const theme = chosen();
  const isDark = theme === 'dark' || (theme === 'system' && prefersDark.matches);
  document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
  for (const listener of listeners) listener();
}
prefersDark.addEventListener('change', applyTheme);

export function chooseTheme(theme: ThemeChoice): void {
  localStorage.setItem(STORED, theme);
  applyTheme();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribe, chosen);
}

/** What the page shows now. */
export function useTheme(): string {
  return useSyncExternalStore(subscribe, () => document.documentElement.dataset['theme'] ?? 'light');
}
