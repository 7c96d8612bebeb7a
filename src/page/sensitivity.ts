import { get, post } from './api.ts';
import { h, table } from './dom.ts';
import type { Run, Sensitivity, Variant } from './resources.ts';

const SHOWN_NODES = 12;

/** What the nodes of a variant cost at the outputs, and why; where no run explained it, how to have it explained. */
export async function sensitivitySection(
  { variant, sensitivity }: Variant,
  model: string,
): Promise<HTMLElement | undefined> {
  if (variant === 'fp32') return undefined;
  const id = `sensitivity-${variant}`;
  const title = `What the nodes of ${variant} cost`;
  if (sensitivity === undefined) {
    return h(
      'section',
      { 'aria-labelledby': id },
      h('h2', { id }, title),
      h('p', { class: 'muted' }, 'No run has told it yet. ', explainButton(model, variant, 'Explain')),
    );
  }
  const explained = await get<Sensitivity>(sensitivity);
  const { nodes, samples, measured } = explained;
  const rows = nodes
    .slice(0, SHOWN_NODES)
    .map(({ node, op, alone, own, accumulatedSqnrDb, reason, advice }) => [
      [node, h('span', { class: 'muted' }, ` ${op}`)],
      alone === undefined ? '–' : decibels(alone.sqnrDb),
      alone?.changedAnswers ?? '–',
      decibels(own.sqnrDb),
      decibels(accumulatedSqnrDb),
      h('span', { class: 'why', title: advice.join('\n') }, reason),
    ]);
  return h(
    'section',
    { 'aria-labelledby': id },
    h('h2', { id }, title),
    h(
      'p',
      { class: 'muted' },
      `SQNR in dB, higher is better: of the outputs with a node quantized alone, of its own result, and of its result in the variant. ${samples} samples; ` +
        `${measured.alone} of ${measured.of} nodes were measured at the outputs. `,
      h('a', { href: sensitivity }, 'All of it as JSON'),
      ' ',
      explainButton(model, variant, 'Explain anew'),
    ),
    table(title, ['node', 'alone', 'changed answers', 'own', 'in the variant', 'why'], rows),
  );
}

/** Orders it, and goes to the run. */
function explainButton(model: string, variant: string, text: string): HTMLElement {
  const order = () => {
    post<Run>('/explain', { model, variants: [variant] }).then(
      ({ id }) => {
        location.hash = `#/runs/${id}`;
      },
      (error: Error) => alert(error.message),
    );
  };
  return h('button', { type: 'button', 'aria-label': `${text}: ${variant}`, onclick: order }, text);
}

function decibels(value: number | null | undefined): string {
  if (value === undefined) return '–';
  return value === null ? 'none' : value.toFixed(1);
}
