import { type KeyboardEvent, type Ref, useState } from 'react';

interface ComposerProps {
  ref: Ref<HTMLTextAreaElement>;
  canSend: boolean;
  running: boolean;
  hasTurns: boolean;
  onSend(prompt: string): void;
  onStop(): void;
  onClear(): void;
}

export function Composer({ ref, canSend, running, hasTurns, onSend, onStop, onClear }: ComposerProps) {
  const [prompt, setPrompt] = useState('');
  const isReady = canSend && !running && prompt.trim() !== '';
  const send = () => {
    if (!isReady) return;
    onSend(prompt.trim());
    setPrompt('');
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
  };
  return (
    <form
      className="composer"
      onSubmit={event => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={ref}
        aria-label="Prompt"
        placeholder="Write a prompt"
        rows={2}
        value={prompt}
        onChange={event => setPrompt(event.target.value)}
        onKeyDown={onKey}
      />
      <div className="composer-foot">
        {hasTurns && (
          <button type="button" className="quiet" onClick={onClear}>
            New conversation
          </button>
        )}
        <span className="fill" />
        <span className="hint" aria-hidden="true">
          {running ? <kbd>Esc</kbd> : <kbd>Ctrl Enter</kbd>}
        </span>
        {running ? (
          <button type="button" className="stop" onClick={onStop}>
            Stop
          </button>
        ) : (
          <button type="submit" className="primary" disabled={!isReady}>
            Send
          </button>
        )}
      </div>
    </form>
  );
}
