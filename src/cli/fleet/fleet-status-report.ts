import type { AgentReport } from '../../fleet/survey.ts';
import { renderTable } from '../table.ts';

const HEADER = ['agent', 'state', 'version', 'class', 'models', 'verdicts', 'does', 'waiting'];

/** The agents of a fleet, one a line; what is wrong, and which classes of hosts there are, below. */
export function renderStatus(reports: readonly AgentReport[]): string {
  const letters = lettersOfClasses(reports);
  const rows = reports.map((report) => toRow(report, letters));
  const news = reports.flatMap(newsOf);
  const classes = [...letters].map(([description, letter]) => {
    const count = reports.filter(({ hostClass }) => hostClass === description).length;
    return `class ${letter}: ${description} (${count === 1 ? '1 host' : `${count} hosts`})`;
  });
  return [
    renderTable(HEADER, rows),
    ...(classes.length === 0 ? [] : ['', ...classes]),
    ...(news.length === 0 ? [] : ['', ...news]),
    '',
    summaryOf(reports),
  ].join('\n');
}

/** Classes with many hosts come first. */
function lettersOfClasses(reports: readonly AgentReport[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const { hostClass } of reports) {
    if (hostClass !== undefined) counts.set(hostClass, (counts.get(hostClass) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
  return new Map(sorted.map(([description], at) => [description, letterOf(at)]));
}

/** A to Z, then AA and so on. */
function letterOf(at: number): string {
  const last = String.fromCharCode('A'.charCodeAt(0) + (at % 26));
  return at < 26 ? last : `${letterOf(Math.floor(at / 26) - 1)}${last}`;
}

function toRow(report: AgentReport, letters: ReadonlyMap<string, string>): string[] {
  const { agent, state, version = '–', hostClass, models, verdicts = {}, running, waiting } = report;
  const counts = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`);
  const isKnown = version !== '–';
  return [
    agent,
    state,
    version,
    letters.get(hostClass ?? '') ?? '–',
    models === undefined ? '–' : String(models),
    counts.join(', ') || '–',
    running === undefined ? (isKnown ? 'nothing' : '–') : `${running.kind} of ${running.model}`,
    waiting === undefined ? '–' : String(waiting),
  ];
}

function newsOf(report: AgentReport): readonly string[] {
  const { agent, state, reason, note, sampler, regressed = [], slowerThanFp32 = [] } = report;
  return [
    ...(reason === undefined ? [] : [`${agent} is ${state}: ${reason}`]),
    ...(note === undefined || note === reason ? [] : [`${agent}: ${note}`]),
    ...(sampler === undefined || sampler === 'up' ? [] : [`${agent}: the sampler of the host is ${sampler}`]),
    ...(regressed.length === 0 ? [] : [`${agent}: regressed: ${regressed.join(', ')}`]),
    ...(slowerThanFp32.length === 0 ? [] : [`${agent}: slower than fp32: ${slowerThanFp32.join(', ')}`]),
  ];
}

function summaryOf(reports: readonly AgentReport[]): string {
  const ready = reports.filter(({ state }) => state === 'ready').length;
  return `${ready} of ${reports.length} agents are ready`;
}

/** Whether someone has to look: an agent is not there, or accuracy regressed somewhere. */
export function isUnwell({ state, regressed = [] }: AgentReport): boolean {
  return state !== 'ready' || regressed.length > 0;
}
