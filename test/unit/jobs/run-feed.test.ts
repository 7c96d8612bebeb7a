import { describe, expect, it } from 'vitest';
import { RunFeed, type RunNews } from '../../../src/jobs/run-feed.ts';
import type { RunView } from '../../../src/jobs/run-view.ts';

const run = (id: string, state: RunView['state'] = 'running', done?: number, phase = 'bench'): RunView => ({
  id,
  kind: 'bench',
  model: 'tiny',
  state,
  request: null,
  priority: 'normal',
  attempt: 1,
  createdMs: 0,
  ...(done === undefined ? {} : { progress: { phase: phase as 'bench', done, unit: 'turns' } }),
});

function feed() {
  const time = { ms: 0 };
  const made = new RunFeed({ nowNs: () => BigInt(time.ms) * 1_000_000n, wallMs: () => 1_790_000_000_000 });
  const heard = (of: RunView, after?: string) => {
    const news: RunNews[] = [];
    const unfollow = made.follow(of, after, (one) => news.push(one));
    return {
      news,
      unfollow,
      told: () => news.map(({ kind, run: { progress } }) => `${kind} ${progress?.done ?? ''}`.trim()),
    };
  };
  return { made, time, heard };
}

describe('RunFeed', () => {
  it('tells each follower of its run alone, beginning with how it is', () => {
    const { made, heard } = feed();
    const a = heard(run('a', 'queued'));
    const b = heard(run('b', 'queued'));
    made.tell(run('a'));
    made.tell(run('b', 'failed'));
    expect(a.told()).toEqual(['state', 'state']);
    expect(b.told()).toEqual(['state', 'end']);
  });

  it('tells progress once a second, and the beginning of a phase at once', () => {
    const { made, time, heard } = feed();
    const follower = heard(run('a'));
    for (const [ms, done, phase] of [
      [0, 1, 'load'],
      [300, 2, 'load'],
      [400, 3, 'bench'],
      [999, 4, 'bench'],
      [1400, 5, 'bench'],
    ] as const) {
      time.ms = ms;
      made.tellProgress(run('a', 'running', done, phase));
    }
    expect(follower.told()).toEqual(['state', 'progress 1', 'progress 3', 'progress 5']);
  });

  it('tells one that comes again what it missed, once', () => {
    const { made, time, heard } = feed();
    const first = heard(run('a'));
    for (let second = 1; second <= 5; second++) {
      time.ms = second * 1000;
      if (second === 3) first.unfollow();
      made.tellProgress(run('a', 'running', second));
      made.tellProgress(run('other', 'running', second, 'load'));
    }
    expect(first.told()).toEqual(['state', 'progress 1', 'progress 2']);
    expect(heard(run('a'), first.news.at(-1)?.id).told()).toEqual(['progress 3', 'progress 4', 'progress 5']);
  });

  it('tells how the run is where it cannot be known what was missed', () => {
    const { made, time, heard } = feed();
    const first = heard(run('a'));
    for (let second = 1; second <= 600; second++) {
      time.ms = second * 1000;
      made.tellProgress(run('a', 'running', second));
    }
    for (const lost of [first.news[1]?.id, 'of-another-life', ''])
      expect(heard(run('a', 'running', 600), lost).told()).toEqual(['state 600']);
  });
});
