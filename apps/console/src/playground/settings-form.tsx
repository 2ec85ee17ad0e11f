import { type ReactNode, useId } from 'react';
import type { ModelEntry } from '../contract.ts';
import { usd } from '../format.ts';
import { EFFORTS, type Settings, toolsProblem } from './settings.ts';

interface SettingsFormProps {
  settings: Settings;
  models: readonly ModelEntry[];
  onChange(settings: Settings): void;
}

export function SettingsForm({ settings, models, onChange }: SettingsFormProps) {
  const set = (changes: Partial<Settings>) => onChange({ ...settings, ...changes });
  const [first = '', second] = settings.models;
  const other = models.find(({ id }) => id !== first)?.id ?? first;
  const problem = toolsProblem(settings.tools);
  return (
    <div className="settings">
      <ModelField
        label="Model"
        value={first}
        models={models}
        onChange={model => set({ models: [model, ...settings.models.slice(1)] })}
      />
      {second !== undefined && (
        <ModelField
          label="Second model"
          value={second}
          models={models}
          onChange={model => set({ models: [first, model] })}
        />
      )}
      <label className="switch">
        <input
          type="checkbox"
          checked={second !== undefined}
          onChange={event => set({ models: event.target.checked ? [first, other] : [first] })}
        />
        Two models side by side
      </label>
      <Field label="System prompt">
        {id => (
          <textarea
            id={id}
            rows={3}
            value={settings.system}
            onChange={event => set({ system: event.target.value })}
          />
        )}
      </Field>
      <div className="pairs">
        <NumberField
          label="Temperature"
          value={settings.temperature}
          min={0}
          max={2}
          step={0.1}
          onChange={temperature => set({ temperature })}
        />
        <NumberField
          label="Max tokens"
          value={settings.maxTokens}
          min={1}
          step={1}
          onChange={maxTokens => set({ maxTokens })}
        />
        <NumberField
          label="Top p"
          value={settings.topP}
          min={0}
          max={1}
          step={0.05}
          onChange={topP => set({ topP })}
        />
        <Field label="Reasoning">
          {id => (
            <select id={id} value={settings.effort} onChange={event => set({ effort: event.target.value })}>
              <option value="">default</option>
              {EFFORTS.map(effort => (
                <option key={effort}>{effort}</option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Field label="Tools (JSON)" problem={problem}>
        {(id, problemId) => (
          <textarea
            id={id}
            className="mono"
            rows={4}
            spellCheck={false}
            placeholder="[]"
            value={settings.tools}
            aria-invalid={problem !== undefined}
            aria-describedby={problemId}
            onChange={event => set({ tools: event.target.value })}
          />
        )}
      </Field>
    </div>
  );
}

interface FieldProps {
  label: string;
  problem?: string | undefined;
  children(id: string, problemId: string | undefined): ReactNode;
}

function Field({ label, problem, children }: FieldProps) {
  const id = useId();
  const problemId = problem === undefined ? undefined : `${id}-problem`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id, problemId)}
      {problem && (
        <p id={problemId} className="bad">
          {problem}
        </p>
      )}
    </div>
  );
}

interface NumberFieldProps {
  label: string;
  value: string;
  min: number;
  max?: number;
  step: number;
  onChange(value: string): void;
}

function NumberField({ label, onChange, ...input }: NumberFieldProps) {
  return (
    <Field label={label}>
      {id => (
        <input
          id={id}
          type="number"
          inputMode="decimal"
          placeholder="default"
          {...input}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

interface ModelFieldProps {
  label: string;
  value: string;
  models: readonly ModelEntry[];
  onChange(model: string): void;
}

function ModelField({ label, value, models, onChange }: ModelFieldProps) {
  const model = models.find(({ id }) => id === value);
  return (
    <Field label={label}>
      {id => (
        <>
          <select id={id} value={value} onChange={event => onChange(event.target.value)}>
            {models.map(one => (
              <option key={one.id}>{one.id}</option>
            ))}
          </select>
          {model && <ModelFacts model={model} />}
        </>
      )}
    </Field>
  );
}

/** Who is asked, and what it costs. */
function ModelFacts({ model: { targets, price } }: { model: ModelEntry }) {
  const chain = targets.map(target =>
    target.model ? `${target.provider}/${target.model}` : target.provider,
  );
  const isFree = price?.prompt === 0 && price.completion === 0;
  return (
    <p className="facts">
      {chain.length > 0 && <span title="Asked in this order">{chain.join(' → ')}</span>}
      {price && (
        <span>
          {isFree
            ? 'free'
            : `${usd(price.prompt * 1000)} in, ${usd(price.completion * 1000)} out per 1M tokens`}
        </span>
      )}
    </p>
  );
}
