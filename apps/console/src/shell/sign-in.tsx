import { type FormEvent, useId } from 'react';
import { ThemeButton } from './header.tsx';
import { Mark } from './icons.tsx';

interface SignInProps {
  /** The key that was tried is not known to the gateway. */
  refused: boolean;
  onKey(key: string): void;
}

export function SignIn({ refused, onKey }: SignInProps) {
  const hint = useId();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget).get('key') ?? '').trim();
    if (key) onKey(key);
  };
  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <h1>
          <Mark />
          Gateway
        </h1>
        <label htmlFor="key">Key</label>
        <input
          id="key"
          name="key"
          type="password"
          required
          // biome-ignore lint/a11y/noAutofocus: the page has this one field.
          autoFocus
          autoComplete="current-password"
          aria-describedby={hint}
          aria-invalid={refused}
        />
        <p id={hint} className={refused ? 'bad' : 'muted'} role={refused ? 'alert' : undefined}>
          {refused ? (
            <>
              The gateway does not know this key. Check it, or make one with <code>airframe-gateway key</code>
              .
            </>
          ) : (
            'An admin’s key opens everything, any other the playground. It stays in this tab.'
          )}
        </p>
        <button type="submit" className="primary">
          Open the console
        </button>
      </form>
      <ThemeButton />
    </main>
  );
}
