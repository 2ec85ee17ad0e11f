import { useCallback, useEffect, useLayoutEffect, useState, useSyncExternalStore } from 'react';
import { Budgets } from './budgets/budgets.tsx';
import { Link } from './feed/link.ts';
import { Live } from './live/live.tsx';
import { Playground } from './playground/playground.tsx';
import { Requests } from './requests/requests.tsx';
import { Header } from './shell/header.tsx';
import { keepKey, storedKey } from './shell/key.ts';
import { KeysDialog } from './shell/keys-dialog.tsx';
import { go, useRoute, VIEWS, type View } from './shell/route.ts';
import { useShortcuts } from './shell/shortcuts.ts';
import { SignIn } from './shell/sign-in.tsx';

export function App() {
  const [key, setKey] = useState(storedKey);
  const [refused, setRefused] = useState(false);
  const signIn = (next: string | undefined, wasRefused = false) => {
    keepKey(next);
    setRefused(wasRefused);
    setKey(next);
  };
  if (key === undefined) return <SignIn refused={refused} onKey={signIn} />;
  return <Console key={key} apiKey={key} onLeave={wasRefused => signIn(undefined, wasRefused)} />;
}

function Console({ apiKey, onLeave }: { apiKey: string; onLeave(refused: boolean): void }) {
  const [link] = useState(() => new Link(apiKey));
  useEffect(() => link.open(), [link]);
  const { connection, data } = useSyncExternalStore(link.subscribe, link.snapshot);
  const [showsKeys, setShowsKeys] = useState(false);
  const closeKeys = useCallback(() => setShowsKeys(false), []);

  const isRefused = connection.state === 'refused';
  useEffect(() => {
    if (isRefused) onLeave(true);
  }, [isRefused, onLeave]);

  const views: readonly View[] = connection.state === 'playground' ? ['playground'] : VIEWS;
  const route = useRoute();
  const view = views.includes(route.view) ? route.view : 'playground';
  useShortcuts({
    ...Object.fromEntries(views.map((name, index) => [String(index + 1), () => go({ view: name })])),
    '?': () => setShowsKeys(true),
  });
  useLayoutEffect(() => {
    if (view !== 'playground') scrollTo(0, 0);
  }, [view]);
  useEffect(() => {
    document.title = `${view[0]?.toUpperCase()}${view.slice(1)} · Gateway`;
  }, [view]);

  return (
    <>
      <Header
        views={views}
        view={view}
        connection={connection}
        onKeys={() => setShowsKeys(true)}
        onLeave={() => onLeave(false)}
      />
      <main className={`view view-${view}`}>
        {/* Always there: an answer goes on while another view is looked at. */}
        <Playground
          apiKey={apiKey}
          hidden={view !== 'playground'}
          hello={data.hello}
          isAdmin={connection.state !== 'playground'}
        />
        {view === 'live' && <Live data={data} />}
        {view === 'requests' && <Requests data={data} apiKey={apiKey} open={route.part} />}
        {view === 'budgets' && <Budgets data={data} />}
      </main>
      <KeysDialog open={showsKeys} onClose={closeKeys} />
    </>
  );
}
