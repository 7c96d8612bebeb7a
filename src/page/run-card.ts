import { post } from './api.ts';
import { type Child, fill, h } from './dom.ts';
import type { Progress, Run } from './resources.ts';
import { kindWords, progressWords } from './words.ts';

/** A run under way with its progress, kept up to date by the daemon's own events. */
export function runCard(run: Run, signal: AbortSignal, onEnd: () => void): HTMLElement {
  const card = h('div', { class: 'card' });
  let shown = run;
  const draw = () => fill(card, ...content(shown, cancel));
  const cancel = () => {
    post<Run>(`/bench/${run.id}/cancel`).then(
      (answer) => update({ ...shown, ...answer }),
      (error: Error) => alert(error.message),
    );
  };
  const update = (next: Run) => {
    shown = next;
    draw();
  };
  // The source connects again by itself, and the daemon goes on with what was missed.
  const events = new EventSource(`/bench/${run.id}/events`);
  events.addEventListener('progress', ({ data }) =>
    update({ ...shown, progress: JSON.parse(data) as Progress }),
  );
  events.addEventListener('state', ({ data }) => update({ ...shown, ...(JSON.parse(data) as Run) }));
  events.addEventListener('end', () => {
    events.close();
    onEnd();
  });
  signal.addEventListener('abort', () => events.close());
  draw();
  return card;
}

function content(
  { id, kind, model, state, progress, cancelling, queuePosition }: Run,
  cancel: () => void,
): Child[] {
  const isWaiting = state === 'queued';
  return [
    h(
      'div',
      { class: 'row' },
      h('a', { href: `#/runs/${id}` }, h('strong', {}, model), ` ${kindWords(kind)}`),
      h(
        'button',
        { type: 'button', disabled: cancelling === true, onclick: cancel },
        cancelling ? 'ending …' : 'Cancel',
      ),
    ),
    isWaiting && h('p', { class: 'muted' }, `waits behind ${queuePosition ?? 0}`),
    !isWaiting &&
      h('progress', {
        'aria-label': `progress of ${model}`,
        ...(progress?.total === undefined ? {} : { value: progress.done, max: progress.total }),
      }),
    progress !== undefined && h('p', { class: 'muted', role: 'status' }, progressWords(progress)),
  ];
}
