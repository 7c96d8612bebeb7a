import { get } from './api.ts';
import { type Child, fill, h, table } from './dom.ts';
import { type Plot, plot } from './plot.ts';
import type { Run, Timeline } from './resources.ts';
import { runCard } from './run-card.ts';
import { kindWords, seconds, time } from './words.ts';

/** What is plotted of a timeline: columns by their patterns, and what the numbers are. */
const PICTURES = [
  {
    label: 'Processor time, cores by mode',
    unit: 'cores',
    columns: /^cpu\.secondsByMode\.(?:user|system|iowait|steal)$/,
  },
  { label: 'Memory that is available', unit: 'bytes', columns: /^memory\.availableBytes$/ },
  { label: 'Resident memory of workers', unit: 'bytes', columns: /^processes\..*\.rssBytes$/ },
  {
    label: 'Disks, read and written',
    unit: 'bytesPerSecond',
    columns: /^disks\..*\.(?:read|written)Bytes$/,
  },
  { label: 'GPU, share of the time at work', unit: 'ratio', columns: /^gpus\..*\.utilizationRatio$/ },
  { label: 'GPU memory', unit: 'bytes', columns: /^gpus\..*\.memory\.usedBytes$/ },
  { label: 'GPU power', unit: 'watts', columns: /^gpus\..*\.powerWatts\./ },
] as const;
const MOST_POINTS = 400;
/** Twice the longest interval that hosts are sampled at during runs unless told otherwise: no point stays empty. */
const SHORTEST_STEP_SECONDS = 0.25;
const MOST_LINES = 4;
/** The longest query that the daemon takes has 1000 characters of names. */
const MOST_COLUMNS = 30;
const REFRESH_MS = 3000;

/** A run: what became of it, its phases, and what the host did meanwhile. */
export async function showRun(main: HTMLElement, id: string, signal: AbortSignal): Promise<void> {
  const run = await get<Run>(`/bench/${encodeURIComponent(id)}`);
  const isOpen = run.state === 'queued' || run.state === 'running';
  const again = () => {
    if (!signal.aborted) dispatchEvent(new HashChangeEvent('hashchange'));
  };
  const pictures = h('div', { class: 'plots wide' });
  const phases = h('div', {});
  fill(
    main,
    h('h2', {}, run.model, h('span', { class: 'muted' }, ` ${kindWords(run.kind)}`)),
    isOpen ? runCard(run, signal, again) : h('p', {}, ...outcome(run)),
    phases,
    pictures,
    traceLinks(run),
    h('p', {}, h('a', { href: `/bench/${run.id}` }, 'All of it as JSON')),
  );
  if (run.startedAt === undefined) return;
  const drawn = new Map<string, Plot>();
  signal.addEventListener('abort', () => {
    for (const one of drawn.values()) one.close();
  });
  await draw().catch((error: Error) => fill(phases, h('p', { class: 'muted' }, error.message)));
  while (isOpen && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
    if (!signal.aborted) await draw().catch(() => {});
  }

  async function draw(): Promise<void> {
    // Which columns there are depends on the host and on what ran.
    const { columns: all, stepSeconds } = await timelineOf(id, { points: '1' });
    const wanted = all
      .map(({ name }) => name)
      .filter((name) => PICTURES.some(({ columns }) => columns.test(name)));
    if (wanted.length === 0) return;
    const points = Math.max(1, Math.min(MOST_POINTS, Math.floor(stepSeconds / SHORTEST_STEP_SECONDS)));
    const timeline = await timelineOf(id, {
      points: String(points),
      columns: wanted.slice(0, MOST_COLUMNS).join(','),
    });
    if (signal.aborted) return;
    fill(phases, phaseTable(timeline));
    const spans = timeline.phases.map(({ phase, startSeconds, endSeconds }) => ({
      name: phase,
      from: startSeconds,
      to: endSeconds,
    }));
    const times = Array.from(
      { length: timeline.points },
      (_, at) => timeline.startSeconds + at * timeline.stepSeconds,
    );
    for (const { label, unit, columns } of PICTURES) {
      const found = timeline.columns.filter(
        ({ name, mean }) => columns.test(name) && mean.some((value) => value !== null),
      );
      const lines = found.length > MOST_LINES ? [sumOf(found)] : found;
      if (lines.length === 0) continue;
      const key = `${label} ${lines.map(({ name }) => name)}`;
      let one = drawn.get(key);
      if (one === undefined) {
        one = plot({
          label,
          unit,
          height: 170,
          lines: lines.map(({ name }) => shortName(name)),
          isClock: false,
        });
        drawn.set(key, one);
        pictures.append(h('figure', {}, h('figcaption', {}, label), one.element));
      }
      one.set([times, ...lines.map(({ mean }) => mean)], spans);
    }
  }
}

/** Workers come and go: all of them in one line. */
function sumOf(columns: Timeline['columns']): Timeline['columns'][number] {
  const mean = (columns[0]?.mean ?? []).map((_, at) => {
    const known = columns.flatMap((column) => column.mean[at] ?? []);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  });
  return { name: 'all.together', mean };
}

function timelineOf(id: string, query: Record<string, string>): Promise<Timeline> {
  return get<Timeline>(`/bench/${encodeURIComponent(id)}/timeline?${new URLSearchParams(query)}`);
}

function outcome({ state, startedAt, finishedAt, problem }: Run): Child[] {
  const took =
    startedAt === undefined || finishedAt === undefined
      ? undefined
      : ` in ${seconds((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)}`;
  return [
    `${state}${took ?? ''}, ${time(finishedAt)}`,
    problem !== undefined &&
      h(
        'span',
        { class: 'problem' },
        problem.message,
        problem.hint === undefined ? '' : ` — ${problem.hint}`,
      ),
  ];
}

/** What ran operator by operator, for tools that show that. */
function traceLinks({ id, result }: Run): HTMLElement | undefined {
  if (result?.trace == null) return undefined;
  const { run, warnings = [] } = result.trace;
  const told = warnings.map((warning) => h('span', { class: 'problem' }, warning));
  if (run === null) return h('p', {}, 'No profiler trace: ', told);
  return h(
    'p',
    {},
    `Profiler trace ${run}: `,
    h('a', { href: `/bench/${id}/trace`, download: true }, 'for TensorBoard'),
    ', ',
    h('a', { href: `/bench/${id}/trace?format=perfetto`, download: true }, 'for Perfetto'),
    told,
  );
}

function phaseTable({ phases }: Timeline): HTMLElement {
  const rows = phases.map(({ phase, subject = '', startSeconds, endSeconds }) => [
    phase,
    subject,
    seconds(Math.max(0, startSeconds)),
    seconds(endSeconds - startSeconds),
  ]);
  return table('Phases', ['phase', 'of', 'began after', 'took'], rows);
}

/** `cpu.secondsByMode.user` → `user`; of a column with a device, that stays. */
function shortName(name: string): string {
  const parts = name.split('.').slice(1);
  return parts.filter((part) => part !== 'secondsByMode').join(' ');
}
