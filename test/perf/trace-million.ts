import { createWriteStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { formatSeconds } from '../../src/core/units.ts';
import type { TracePart } from '../../src/trace/trace-part.ts';
import { memoryRow, type OnRow, type PerfRow, plainRow } from './perf-row.ts';
import { watchJson } from './watched-process.ts';

/** What the child measured. */
export interface MillionReport {
  readonly readSeconds: number;
  readonly buildSeconds: number;
  readonly publishSeconds: number;
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  readonly operators: number;
}

/** Where ONNX Runtime stops recording. */
const EVENTS = 1_000_000;
const NODES = 60;
const MOST_SECONDS = 5;
const MOST_MIB = 600;

/** How long the largest profile of ONNX Runtime takes to become a published trace. Takes 750 MB in TMPDIR. */
export async function traceMillion(onRow: OnRow): Promise<readonly PerfRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-perf-trace-'));
  try {
    const profile = join(folder, 'profile.json');
    const part = join(folder, 'part.json');
    writeFileSync(part, JSON.stringify(partOf(profile)));
    await pipeline(Readable.from(profilePieces()), createWriteStream(profile));
    const child = fileURLToPath(new URL('./trace-million-child.ts', import.meta.url));
    const { report } = await watchJson<MillionReport>(process.execPath, [
      '--import',
      'tsx',
      child,
      part,
      folder,
    ]);
    const { readSeconds, buildSeconds, publishSeconds } = report;
    const subject = `${EVENTS} events, ${(statSync(profile).size / 1e6).toFixed(0)} MB`;
    const seconds = readSeconds + buildSeconds + publishSeconds;
    const rows: readonly PerfRow[] = [
      plainRow(subject, 'read the profile', formatSeconds(readSeconds)),
      plainRow(subject, 'build the trace', formatSeconds(buildSeconds)),
      plainRow(subject, 'write it for TensorFlow and Perfetto', formatSeconds(publishSeconds)),
      {
        ...plainRow(subject, 'all of it', formatSeconds(seconds)),
        target: `≤ ${MOST_SECONDS} s`,
        reached: seconds <= MOST_SECONDS,
        detail: `${formatSeconds(report.cpuSeconds)} of CPU, start of the process included`,
      },
      memoryRow(subject, 'most memory resident', report.peakRssBytes, MOST_MIB),
      plainRow(subject, 'operators in the trace', String(report.operators)),
    ];
    for (const row of rows) onRow(row);
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two events of a run are that of the graph and that of the run itself. */
const EVENTS_OF_RUN = NODES + 2;
const RUNS = Math.ceil((EVENTS - 2) / EVENTS_OF_RUN);
const RUN_US = 5000;
/** Of the arena; what is in use changes with every third operator. */
const HELD_BYTES = 17_743_936;

function partOf(profileFile: string): TracePart {
  const startsNs = Array.from({ length: RUNS }, (_, run) => (run + 1) * RUN_US * 1000);
  return {
    modelId: 'net:fp32',
    phase: 'bench',
    device: 'cpu',
    pid: 1,
    thread: 'bench fp32, lane 1',
    profileFile,
    baseNs: '1000000000',
    startsNs,
    endsNs: startsNs.map((startNs) => startNs + 4_500_000),
    firstRequest: 1,
  };
}

/** The text of a profile: nodes whose arguments stand in another order each time, as those of a hash table do. */
function* profilePieces(): Generator<string> {
  yield '[\n';
  yield event('Session', 'model_loading_uri', 10, 2000, '', ',\n');
  yield event('Session', 'session_initialization', 2100, 1500, '', '');
  let written = 2;
  for (let run = 0; written < EVENTS; run++) {
    const startUs = (run + 1) * RUN_US;
    let piece = '';
    for (let place = 0; place < EVENTS_OF_RUN && written < EVENTS; place++, written++) {
      piece += ',\n';
      if (place < NODES) piece += node(place, run, startUs);
      else if (place === NODES)
        piece += event('Session', 'SequentialExecutor::Execute', startUs + 10, 4300, '', '');
      else piece += event('Session', 'model_run', startUs + 5, 4400, '', '');
    }
    yield piece;
  }
  yield '\n]\n';
}

function node(place: number, run: number, startUs: number): string {
  const channels = 16 + 8 * (place % 20);
  const bytes = (count: number) => String(count * channels * 56 * 56 * 4);
  const args = [
    `"op_name" : "${place % 3 === 0 ? 'Conv' : 'FusedConv'}"`,
    '"provider" : "CPUExecutionProvider"',
    `"node_index" : "${100 + place}"`,
    `"input_type_shape" : [{"float":[1,${channels},56,56]},{"float":[${channels},${channels},1,1]},{"float":[${channels}]}]`,
    `"output_type_shape" : [{"float":[1,${channels},56,56]}]`,
    `"activation_size" : "${bytes(1)}"`,
    `"parameter_size" : "${channels * channels * 4}"`,
    `"output_size" : "${bytes(1)}"`,
    '"thread_scheduling_stats" : ""',
    `"mem_bytes_in_use" : "${HELD_BYTES - 65_536 * (Math.floor(place / 3) % 5)}"`,
    `"mem_in_use_peak" : "${HELD_BYTES}"`,
    '"mem_in_use_delta" : "0"',
    `"mem_arena_held" : "${HELD_BYTES}"`,
    '"mem_arena_held_delta" : "0"',
    `"mem_bytes_requested_in_use" : "${bytes(3)}"`,
    `"mem_requested_in_use_delta" : "${bytes(1)}"`,
  ];
  const turn = (place * 7 + run) % args.length;
  const turned = [...args.slice(turn), ...args.slice(0, turn)].join(',');
  const name = `/features/features.${place}/conv/conv.${place % 3}/Conv_output_0_nchwc_kernel_time`;
  return event('Node', name, startUs + 20 + place * 70, 60 + (run % 7), turned, '');
}

function event(cat: string, name: string, ts: number, dur: number, args: string, end: string): string {
  return (
    `{"cat" : "${cat}","pid" :4711,"tid" :4711,"dur" :${dur},"ts" :${ts},"ph" : "X",` +
    `"name" :"${name}","args" : {${args}}}${end}`
  );
}
