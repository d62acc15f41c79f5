/** The form that opens the page with its token. */
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { messageOf, sendJson } from '../api.js';
import { html } from '../html.js';
import { icon } from './icons.js';

interface SignInProps {
  /** Why the page is not open. */
  readonly message: string;
  readonly onSignedIn: () => void;
}

export function SignIn({ message, onSignedIn }: SignInProps): VNode {
  const field = useRef<HTMLInputElement>(null);
  const [refusal, setRefusal] = useState<string>();
  const [isSending, setSending] = useState(false);
  useEffect(() => field.current?.focus(), []);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setSending(true);
    try {
      await sendJson('POST', 'session', { token: field.current?.value ?? '' });
      onSignedIn();
    } catch (error) {
      setRefusal(messageOf(error));
      setSending(false);
      field.current?.select();
    }
  };

  return html`<main class="sign-in">
    <form onSubmit=${submit} aria-labelledby="sign-in-title">
      <h1 id="sign-in-title">${icon('brand')} Tidemark</h1>
      <p class="muted" id="sign-in-why">${message}</p>
      <label for="token">Token</label>
      <input
        id="token"
        ref=${field}
        type="password"
        autocomplete="current-password"
        required
        aria-describedby="sign-in-why sign-in-refusal"
        aria-invalid=${refusal === undefined ? undefined : 'true'}
      />
      <p class="refusal" id="sign-in-refusal" role="alert">${refusal}</p>
      <button class="primary" type="submit" disabled=${isSending}>Sign in</button>
    </form>
  </main>`;
}
