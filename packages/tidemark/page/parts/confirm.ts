/** Asks before something is done: the second step of an action. */
import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { messageOf } from '../api.js';
import { html, type Content } from '../html.js';

interface ConfirmProps {
  readonly question: Content;
  readonly action: string;
  readonly act: () => Promise<void>;
  /** @param isDone whether the action has been taken. */
  readonly onClose: (isDone: boolean) => void;
}

export function Confirm({ question, action, act, onClose }: ConfirmProps): VNode {
  const box = useRef<HTMLDivElement>(null);
  const [message, setMessage] = useState<string>();
  const [isActing, setActing] = useState(false);
  // Before the next key is pressed.
  useLayoutEffect(() => {
    const before = document.activeElement;
    box.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);

  const take = async (): Promise<void> => {
    setActing(true);
    try {
      await act();
      onClose(true);
    } catch (error) {
      setMessage(messageOf(error));
      setActing(false);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose(false);
  };

  return html`<div
    class="confirm"
    role="alertdialog"
    aria-label="Confirm"
    aria-describedby="confirm-question"
    tabindex="-1"
    ref=${box}
    onKeyDown=${onKeyDown}
  >
    <p id="confirm-question">${question}</p>
    <p class="refusal" role="alert">${message}</p>
    <div class="buttons">
      <button type="button" class="danger" disabled=${isActing} onClick=${() => void take()}>
        ${action}
      </button>
      <button type="button" onClick=${() => onClose(false)}>Cancel</button>
    </div>
  </div>`;
}
