import type { EventKind, StatColumn, Trace } from '../../src/trace/trace.ts';
import { planeOf, traceOf } from './hand-made-trace.ts';

const NODES = 200;
/** Nanoseconds from one operator to the next. */
const PACE_NS = 25_000;
const MEMORY_STATS = [
  'bytes_allocated',
  'bytes_reserved',
  'bytes_available',
  'peak_bytes_in_use',
  'requested_bytes',
  'allocation_bytes',
  'addr',
];

/** So many operators of a net of 200, in steps, and after each what the allocator holds: as a profile of ONNX Runtime gives it. */
export function largeTrace(operators: number): Trace {
  const columns: StatColumn[] = ['step_num', ...MEMORY_STATS].map((name) => ({
    name,
    type: 'int',
    values: new Float64Array(2 * operators).fill(Number.NaN),
  }));
  const kindOf = new Uint32Array(2 * operators);
  const startsNs = new Float64Array(2 * operators);
  const durationsNs = new Float64Array(2 * operators);
  for (let operator = 0; operator < operators; operator++) {
    const node = operator % NODES;
    const at = 2 * operator;
    const startNs = operator * PACE_NS;
    kindOf[at] = node === 0 ? 2 * NODES : node;
    startsNs[at] = startNs;
    durationsNs[at] = node === 0 ? NODES * PACE_NS : PACE_NS - 5000;
    if (node === 0) (columns[0] as StatColumn).values[at] = operator / NODES;
    kindOf[at + 1] = NODES + node;
    startsNs[at + 1] = startNs + PACE_NS - 1000;
    for (const [place, { values }] of columns.slice(1).entries()) {
      values[at + 1] = 1e6 * (place + 1) + ((operator * 7919) % 5e6);
    }
  }
  const events = { count: 2 * operators, kinds: kindOf, startsNs, durationsNs, stats: columns };
  return traceOf(
    [
      planeOf(
        '/host:CPU',
        [
          ...Array.from({ length: NODES }, (_, node) => operatorKind(node)),
          ...Array.from({ length: NODES }, (_, node) => memoryKind(node)),
          INFER,
        ],
        [{ id: 1, name: 'bench net', events }],
      ),
    ],
    { durationNs: operators * PACE_NS },
  );
}

const INFER: EventKind = { name: 'infer', stats: { _r: { int: 1 } } };

function operatorKind(node: number): EventKind {
  return {
    name: `features/block_${node}/conv:Conv`,
    displayName: 'Conv',
    stats: { provider: 'CPUExecutionProvider', shape: '1x32x56x56', FLOPs: { double: 1e6 * node } },
  };
}

function memoryKind(node: number): EventKind {
  return {
    name: 'MemoryAllocation',
    stats: {
      allocator_name: 'CPU',
      tf_op: `alloc of features/block_${node}/conv`,
      region_type: 'output',
      data_type: { int: 1 },
      shape: '1x32x56x56',
    },
  };
}
