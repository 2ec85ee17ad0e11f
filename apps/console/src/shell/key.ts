const STORED = 'gateway-key';

/**
 * The key of this tab: out of the address (`#key=…`, which is then taken out of it, and of the history), or what was
 * signed in with before. It is kept for as long as the tab is open.
 */
export function storedKey(): string | undefined {
  const inAddress = new URLSearchParams(location.hash.slice(1)).get('key');
  if (inAddress !== null) {
    history.replaceState(null, '', location.pathname + location.search);
    keepKey(inAddress);
  }
  return sessionStorage.getItem(STORED) ?? undefined;
}

export function keepKey(key: string | undefined): void {
  if (key) sessionStorage.setItem(STORED, key);
  else sessionStorage.removeItem(STORED);
}
