import { useEffect, useState } from 'react';
import type { Connection } from '../feed/link.ts';

/** Says in the head whether what the page shows is what there is. */
export function ConnectionState({ connection }: { connection: Connection }) {
  const now = useNow(connection.state === 'waiting');
  return (
    <span className={`connection is-${connection.state}`} title={hint(connection)}>
      <span className="dot" aria-hidden="true" />
      {/* The countdown is for the eyes: it would be read out every second. */}
      <span role="status">{label(connection)}</span>
      {connection.state === 'waiting' && (
        <span className="countdown" aria-hidden="true">
          {Math.max(0, Math.ceil((connection.retryAt - now) / 1000))} s
        </span>
      )}
    </span>
  );
}

function label({ state }: Connection): string {
  if (state === 'connected') return 'Connected';
  if (state === 'connecting') return 'Connecting';
  if (state === 'waiting') return 'Reconnecting';
  return state === 'playground' ? 'Playground only' : 'Refused';
}

function hint(connection: Connection): string | undefined {
  if (connection.state === 'waiting') return `Lost: ${connection.reason}. What you see may be old.`;
  if (connection.state === 'playground') return 'This key is none of an admin.';
  return undefined;
}

/** The time, every quarter of a second while it is wanted. */
export function useNow(wanted: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!wanted) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [wanted]);
  return now;
}
