import 'uplot/dist/uPlot.min.css';
import './page.css';
import { fill, h } from './dom.ts';
import { showModel } from './model-page.ts';
import { showOverview } from './overview.ts';
import { showRun } from './run-page.ts';

/** Shows what the address says, and ends what was shown before. */
function start(): void {
  const main = document.querySelector('main') as HTMLElement;
  let shown = new AbortController();
  const show = () => {
    shown.abort();
    shown = new AbortController();
    const { signal } = shown;
    const [, kind = '', name = ''] = location.hash.split('/').map(decodeURIComponent);
    fill(main, h('p', { class: 'muted', role: 'status' }, 'Loading …'));
    const showing =
      kind === 'models'
        ? showModel(main, name, signal)
        : kind === 'runs'
          ? showRun(main, name, signal)
          : showOverview(main, signal);
    showing.catch((error: Error) => {
      if (!signal.aborted) fill(main, h('p', { class: 'problem', role: 'alert' }, error.message));
    });
    scrollTo(0, 0);
  };
  addEventListener('hashchange', show);
  show();
}

start();
