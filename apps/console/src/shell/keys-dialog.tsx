import { useEffect, useRef } from 'react';
import { CloseIcon } from './icons.tsx';

const KEYS: [keys: string[], what: string][] = [
  [['1', '2', '3', '4'], 'Playground, Live, Requests, Budgets'],
  [['/'], 'Write a prompt, or search the requests'],
  [['Ctrl', 'Enter'], 'Send the prompt'],
  [['Esc'], 'Stop the answer; close the open request'],
  [['↑', '↓'], 'Go through the requests'],
  [['?'], 'This list'],
];

export function KeysDialog({ open, onClose }: { open: boolean; onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} aria-labelledby="keys-title" onClose={onClose}>
      <div className="dialog-head">
        <h2 id="keys-title">Keyboard</h2>
        <button type="button" className="icon" onClick={onClose}>
          <CloseIcon />
          <span className="sr">Close</span>
        </button>
      </div>
      <dl className="keys-list">
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
