import { useEffect, useLayoutEffect, useRef } from 'react';

/** Pixels from the end of the page that count as its end. */
const NEAR = 80;

/** Keeps the end of the page in sight while it grows, unless the reader has scrolled up. */
export function useFollow(what: unknown, enabled: boolean): void {
  const follows = useRef(true);
  useEffect(() => {
    if (!enabled) return;
    const onScroll = () => {
      follows.current = scrollY + innerHeight >= document.documentElement.scrollHeight - NEAR;
    };
    addEventListener('scroll', onScroll, { passive: true });
    return () => removeEventListener('scroll', onScroll);
  }, [enabled]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is what grows.
  useLayoutEffect(() => {
    if (enabled && follows.current)
      scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
  }, [what, enabled]);
}
