import fc from 'fast-check';
import type { Snapshot } from '../../../../src/telemetry/snapshot.ts';

const number = fc.oneof(
  fc.integer(),
  fc.nat({ max: 2 ** 53 - 1 }).map((n) => n / 1000),
  fc.double(),
  fc.integer({ min: 0, max: 1 << 30 }).map((pages) => pages * 4096),
  fc.constantFrom(
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.MIN_VALUE,
    2 ** 53,
    -(2 ** 51),
    0.1,
    1 / 3,
  ),
);

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', 'nvme0n1', '__proto__', 'ok'));

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'device', 'toString', '__proto__', '0'),
  fc.string({ maxLength: 3 }),
);

/** Elements that are told apart by their first property, as readings of disks and processes are. */
const devices = fc
  .uniqueArray(fc.record({ device: fc.constantFrom('sda', 'sdb', 'nvme0n1', 7), readBytes: number }), {
    selector: ({ device }) => device,
    maxLength: 3,
  })
  .map((list): unknown[] => list);

/** Whatever a collector could come up with: plain data without undefined. */
const reading: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    number,
    text,
    fc.boolean(),
    fc.constant(null),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    devices,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(name, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).tree;

/** A snapshot of one of three sources, `gapNs` after the one before. */
const step = fc.record({
  source: fc.constantFrom('host', 'gpu', 'slow'),
  gapNs: fc.oneof(
    fc.bigInt({ min: 90_000_000n, max: 110_000_000n }),
    fc.bigInt({ min: -2_000_000n, max: 8_000_000_000n }),
    fc.bigInt({ min: 0n, max: 70_000_000_000n }),
  ),
  wallMs: fc.oneof(fc.integer({ min: 0, max: 2 ** 42 }), fc.double()),
  cpu: reading,
  disks: fc.option(devices, { nil: undefined }),
});

/** Snapshots as a sampler could send them, and stranger ones. */
export const arbitrarySnapshots: fc.Arbitrary<readonly Snapshot[]> = fc
  .tuple(
    fc.bigInt({ min: 0n, max: 2n ** 62n }),
    fc.array(fc.tuple(step, fc.nat({ max: 3 })), { maxLength: 30 }),
  )
  .map(([startNs, steps]) => {
    let tickNs = startNs;
    return steps.flatMap(([{ source, gapNs, wallMs, cpu, disks }, repeats]) =>
      Array.from({ length: 1 + repeats }, () => {
        tickNs += gapNs;
        return {
          tickNs,
          wallMs,
          source,
          cpu,
          ...(disks === undefined ? {} : { disks }),
          health: {},
          sampler: { pid: 1, intervalMs: 100, cpuSeconds: 0.01, missedTicks: 0 },
        } as unknown as Snapshot;
      }),
    );
  });
