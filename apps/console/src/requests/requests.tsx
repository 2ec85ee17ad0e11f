import { useDeferredValue, useMemo, useRef, useState } from 'react';
import type { RequestRecord } from '../contract.ts';
import type { ConsoleState } from '../feed/state.ts';
import { count } from '../format.ts';
import { SearchIcon } from '../shell/icons.tsx';
import { go } from '../shell/route.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { Detail } from './detail.tsx';
import { Row } from './row.tsx';
import { FIELD_NAMES, matcherOf } from './search.ts';

/** Rows shown at first, and with each press of the button below them. */
const PAGE = 100;

const COLUMNS = ['Time', 'Outcome', 'Model', 'Key, agent', 'Latency', 'Timeline', 'Tokens', 'Cost'] as const;

interface RequestsProps {
  data: ConsoleState;
  apiKey: string;
  /** Id of the call that is looked at. */
  open: string | undefined;
}

export function Requests({ data, apiKey, open }: RequestsProps) {
  const [query, setQuery] = useState('');
  const [frozen, setFrozen] = useState<readonly RequestRecord[]>();
  const [shown, setShown] = useState(PAGE);
  const search = useRef<HTMLInputElement>(null);
  const list = frozen ?? data.requests;
  const wanted = useDeferredValue(query);
  const found = useMemo(() => list.filter(matcherOf(wanted)), [list, wanted]);
  const record = useMemo(
    () => (open === undefined ? undefined : data.requests.find(({ id }) => id === open)),
    [data.requests, open],
  );
  const close = () => go({ view: 'requests' });
  useListKeys(found, open, search, close);
  return (
    <div className={`requests${open === undefined ? '' : ' has-detail'}`}>
      <div className="log">
        <div className="view-head">
          <h1>Requests</h1>
          <label className="search">
            <SearchIcon />
            <span className="sr">Search the requests</span>
            <input
              ref={search}
              type="search"
              placeholder="Search, or key:ci status:429"
              title={`Words of any field, or of one: ${FIELD_NAMES.join(', ')}`}
              value={query}
              onChange={event => setQuery(event.target.value)}
            />
          </label>
          <button
            type="button"
            aria-pressed={frozen !== undefined}
            onClick={() => setFrozen(frozen ? undefined : data.requests)}
          >
            {frozen ? `Go on${newer(data.requests, frozen)}` : 'Pause'}
          </button>
        </div>
        <p className="muted summary">
          {found.length === list.length
            ? count(list.length)
            : `${count(found.length)} of ${count(list.length)}`}{' '}
          calls
          {data.unlisted > 0 && `; ${count(data.unlisted)} more were too many to list`}
        </p>
        {found.length === 0 ? (
          <p className="empty muted">{list.length === 0 ? 'No call yet.' : 'No call fits the search.'}</p>
        ) : (
          <table className="calls">
            <thead>
              <tr>
                {COLUMNS.map(column => (
                  <th key={column} scope="col" className={`of-${column.split(',')[0]?.toLowerCase()}`}>
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {found.slice(0, shown).map(one => (
                <Row key={one.id} record={one} isOpen={one.id === open} />
              ))}
            </tbody>
          </table>
        )}
        {found.length > shown && (
          <button type="button" className="more" onClick={() => setShown(shown + PAGE)}>
            Show more
          </button>
        )}
      </div>
      {record && (
        <Detail
          key={record.id}
          record={record}
          models={data.hello?.models ?? []}
          apiKey={apiKey}
          captured={data.hello?.capture ?? false}
          onClose={close}
        />
      )}
      {open !== undefined && !record && (
        <aside className="detail">
          <p className="muted">The call {open} is not in the log; it keeps the newest ones only.</p>
          <button type="button" onClick={close}>
            Close
          </button>
        </aside>
      )}
    </div>
  );
}

function newer(requests: readonly RequestRecord[], frozen: readonly RequestRecord[]): string {
  const newest = frozen[0]?.id;
  const index = requests.findIndex(({ id }) => id === newest);
  const more = index < 0 ? requests.length : index;
  return more === 0 ? '' : ` (${count(more)} new)`;
}

/** `/` searches, the arrows go through the rows, Escape closes the call. */
function useListKeys(
  found: readonly RequestRecord[],
  open: string | undefined,
  search: { current: HTMLInputElement | null },
  close: () => void,
): void {
  const move = (step: number) => (event: KeyboardEvent) => {
    const focused = document.activeElement;
    const id = focused instanceof HTMLElement ? focused.dataset['id'] : undefined;
    const at = found.findIndex(one => one.id === (id ?? open));
    const next = found[at < 0 ? 0 : at + step];
    if (!next) return;
    event.preventDefault();
    document.querySelector<HTMLElement>(`[data-id=${JSON.stringify(next.id)}]`)?.focus();
    if (open !== undefined) go({ view: 'requests', part: next.id });
  };
  useShortcuts({
    '/': event => {
      event.preventDefault();
      search.current?.focus();
    },
    arrowdown: move(1),
    arrowup: move(-1),
    escape: () => {
      if (open !== undefined) close();
      else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    },
  });
}
