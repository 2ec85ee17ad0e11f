import { useSyncExternalStore } from 'react';

export const VIEWS = ['playground', 'live', 'requests', 'budgets'] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  view: View;
  /** What of the view: a call's id. */
  part?: string;
}

/** `#requests/abc` → the call abc in the view of requests. */
export function routeOf(hash: string): Route {
  const [name, ...rest] = hash.replace(/^#/, '').split('/');
  const view = VIEWS.find(one => one === name) ?? 'playground';
  const part = rest.join('/');
  return part === '' ? { view } : { view, part: decodeURIComponent(part) };
}

export function hashOf({ view, part }: Route): string {
  return part === undefined ? `#${view}` : `#${view}/${encodeURIComponent(part)}`;
}

export function go(route: Route): void {
  location.hash = hashOf(route);
}

const subscribe = (listener: () => void) => {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
};

/** Where the page stands, as the address has it. */
export function useRoute(): Route {
  return routeOf(useSyncExternalStore(subscribe, () => location.hash));
}
