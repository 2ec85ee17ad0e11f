import { memo, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { Hello, ModelEntry } from '../contract.ts';
import { useShortcuts } from '../shell/shortcuts.ts';
import { AnswerCard } from './answer-card.tsx';
import { Composer } from './composer.tsx';
import { Conversation, type Turn } from './conversation.ts';
import { useModels } from './models.ts';
import { keepSettings, type Settings, storedSettings, toolsProblem } from './settings.ts';
import { SettingsForm } from './settings-form.tsx';
import { useFollow } from './use-follow.ts';

interface PlaygroundProps {
  apiKey: string;
  hidden: boolean;
  hello: Hello | undefined;
  isAdmin: boolean;
}

export const Playground = memo(function Playground({ apiKey, hidden, hello, isAdmin }: PlaygroundProps) {
  const models = useModels(apiKey, hello, isAdmin);
  const known = Array.isArray(models) ? models : [];
  const [stored, setSettings] = useState(storedSettings);
  const settings = withKnownModels(stored, known);
  const [conversation] = useState(() => new Conversation(apiKey));
  const { turns, running } = useSyncExternalStore(conversation.subscribe, conversation.snapshot);
  const [showsSettings, setShowsSettings] = useState(false);
  const composer = useRef<HTMLTextAreaElement>(null);
  useFollow(turns, !hidden && turns.length > 0);
  useEffect(() => () => conversation.stop(), [conversation]);
  useShortcuts(
    {
      escape: () => conversation.stop(),
      '/': event => {
        event.preventDefault();
        composer.current?.focus();
      },
    },
    !hidden,
  );

  const change = (next: Settings) => {
    setSettings(next);
    keepSettings(next);
  };
  const canSend = settings.models.length > 0 && toolsProblem(settings.tools) === undefined;
  return (
    <div className={`playground columns-${settings.models.length}`} hidden={hidden}>
      <h1 className="sr">Playground</h1>
      <aside aria-label="Settings" className={showsSettings ? 'is-open' : undefined}>
        <button
          type="button"
          className="fold"
          aria-expanded={showsSettings}
          onClick={() => setShowsSettings(!showsSettings)}
        >
          <span>{settings.models.join(' · ') || 'Settings'}</span>
          <span className="muted">{showsSettings ? 'Close' : 'Settings'}</span>
        </button>
        <SettingsForm settings={settings} models={known} onChange={change} />
      </aside>
      <section aria-label="Conversation" className="conversation">
        <div className="turns">
          {turns.length === 0 && (
            <Empty models={models} onPrompt={prompt => conversation.send(prompt, settings)} />
          )}
          {turns.map(turn => (
            <TurnView key={turn.id} turn={turn} models={known} linked={isAdmin} />
          ))}
        </div>
        <Composer
          ref={composer}
          canSend={canSend}
          running={running}
          hasTurns={turns.length > 0}
          onSend={prompt => conversation.send(prompt, settings)}
          onStop={() => conversation.stop()}
          onClear={() => conversation.clear()}
        />
      </section>
      <p className="sr" role="status">
        {running ? 'Answering' : turns.length > 0 ? 'The answer has ended' : ''}
      </p>
    </div>
  );
});

/** Models that are no more make room for the first one there is. */
function withKnownModels(settings: Settings, known: readonly ModelEntry[]): Settings {
  const [first] = known;
  if (!first) return { ...settings, models: [] };
  const wanted = settings.models.length === 0 ? [first.id] : settings.models;
  return { ...settings, models: wanted.map(id => (known.some(one => one.id === id) ? id : first.id)) };
}

function TurnView({ turn, models, linked }: { turn: Turn; models: readonly ModelEntry[]; linked: boolean }) {
  return (
    <div className="turn">
      <p className="prompt">{turn.prompt}</p>
      <div className="answers">
        {turn.answers.map((answer, column) => (
          <AnswerCard
            // biome-ignore lint/suspicious/noArrayIndexKey: answers keep their places.
            key={column}
            answer={answer}
            price={models.find(({ id }) => id === answer.model)?.price}
            promptCharacters={turn.characters[column] ?? 0}
            linked={linked}
          />
        ))}
      </div>
    </div>
  );
}

/** The first two are in reach of the demo model. */
const SAMPLES = [
  'What can this project do?',
  'What is 7 times 8?',
  'Compare p50 and p95 latency in a small table.',
];

interface EmptyProps {
  models: ModelEntry[] | string | undefined;
  onPrompt(prompt: string): void;
}

function Empty({ models, onPrompt }: EmptyProps) {
  if (models === undefined) return <p className="empty muted">Waiting for the list of models …</p>;
  if (typeof models === 'string') {
    return (
      <p className="empty bad" role="alert">
        {models}
      </p>
    );
  }
  if (models.length === 0) {
    return <p className="empty muted">No model is configured; name one under `models` in gateway.yaml.</p>;
  }
  return (
    <div className="empty">
      <h2>Ask something</h2>
      <p className="muted">
        It goes the way of every client: keys, limits, fallbacks and costs are the real ones.
      </p>
      <ul>
        {SAMPLES.map(sample => (
          <li key={sample}>
            <button type="button" className="sample" onClick={() => onPrompt(sample)}>
              {sample}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
