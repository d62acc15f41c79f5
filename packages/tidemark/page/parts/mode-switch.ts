/** Switches shadow mode on and off, on every instance. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { OptionsInForce } from '../../src/page/page-api.js';
import { sendJson } from '../api.js';
import { html } from '../html.js';
import { usePage } from '../use-page.js';
import { callout } from './bits.js';
import { Confirm } from './confirm.js';

interface ModeSwitchProps {
  readonly mode: OptionsInForce['mode'];
  readonly onChanged: () => void;
}

const MODES: Readonly<Record<OptionsInForce['mode'], string>> = {
  serve: 'Answers are served from the cache.',
  shadow: 'Each query runs, and stored answers are only compared with the database.',
  off: 'The cache is switched off by its options: nothing is stored or served.',
};

export function ModeSwitch({ mode, onChanged }: ModeSwitchProps): VNode {
  const { route } = usePage();
  const [isAsking, setAsking] = useState(false);
  if (mode === 'off') {
    return callout('plain', MODES.off, 'Set `enabled: true` and start the instances again.');
  }
  const next = mode === 'serve' ? 'shadow' : 'serve';
  const action = next === 'shadow' ? 'Switch shadow mode on' : 'Switch shadow mode off';
  const close = (isDone: boolean): void => {
    setAsking(false);
    if (isDone) onChanged();
  };
  return html`<div class="action">
    <p role="status"><strong>${mode}</strong> – ${MODES[mode]}</p>
    <button type="button" onClick=${() => setAsking(true)}>${action}…</button>
    ${
      isAsking &&
      html`<${Confirm}
        question="${action} on every instance? ${MODES[next]}"
        action=${action}
        act=${() => sendJson('PUT', 'mode', { mode: next }, route.params['source'])}
        onClose=${close}
      />`
    }
  </div>`;
}
