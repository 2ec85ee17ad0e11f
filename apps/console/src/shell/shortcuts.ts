import { useEffect, useRef } from 'react';

/** Key → what it does; a key is as `KeyboardEvent.key` has it, in small letters. Keys with Ctrl, ⌘ or Alt are the browser's. */
export type Shortcuts = Record<string, (event: KeyboardEvent) => void>;

/** Listens on the whole page for as long as the component is there. */
export function useShortcuts(shortcuts: Shortcuts, enabled = true): void {
  const current = useRef(shortcuts);
  current.current = shortcuts;
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented || event.isComposing)
        return;
      const name = event.key.toLowerCase();
      if (isWriting(event.target) && name !== 'escape') return;
      // An open dialog takes Escape for itself.
      if (document.querySelector('dialog[open]')) return;
      current.current[name]?.(event);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [enabled]);
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select');
}
