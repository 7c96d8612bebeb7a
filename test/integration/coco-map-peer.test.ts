import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { measureDetections } from '../../src/evaluation/tasks/detection/measure-detections.ts';
import { findPeerPython } from '../perf/peer-subjects.ts';
import {
  answerOf,
  type FoundRow,
  type Picture,
  randomPictures,
} from '../unit/evaluation/tasks/detection/random-pictures.ts';

// Holds mean average precision against pycocotools, on random and on degenerate data sets.

const TOLERANCE = 1e-9;
const SCRIPT = fileURLToPath(new URL('../fixtures/detection/coco_figures.py', import.meta.url));
const reason = whyNotTested();

type Figures = Readonly<Record<string, number | null>>;

describe('mean average precision', () => {
  if (reason !== undefined) {
    it(`is not held against pycocotools: ${reason}`, (context) => {
      context.skip(reason);
    });
    return;
  }

  it('is that of pycocotools on random pictures, copies of them among these', { timeout: 300_000 }, () => {
    const dataSets = Array.from({ length: 300 }, (_, seed) =>
      randomPictures(seed, {
        pictures: 1 + (seed % 14),
        classes: [1, 2, 5][seed % 3] ?? 1,
        levels: [2, 8, 256, 65_536][seed % 4] ?? 2,
        mostTruths: [0, 2, 6][(seed >> 2) % 3] ?? 2,
        mostFound: [0, 4, 30][(seed >> 1) % 3] ?? 4,
        mostCount: [1, 2, 5][(seed >> 3) % 3] ?? 1,
      }),
    );
    expectSameFigures(dataSets);
  });

  it('is that of pycocotools where pictures hold more than 100 detections of a class', () => {
    const settings = { pictures: 3, classes: 1, mostTruths: 20, mostFound: 400, mostCount: 2 };
    expectSameFigures([3, 50, 4096].map((levels, seed) => randomPictures(seed, { ...settings, levels })));
  });

  it('is that of pycocotools on degenerate data sets', () => {
    const truth = { category: 0, x: 0, y: 0, width: 32, height: 32, isCrowd: false, area: 1024 };
    const exact: FoundRow = [0, 0, 32, 32, 0.5, 0];
    const picture = (truths: Picture['truths'], found: Picture['found'], count = 1) => ({
      truths,
      found,
      count,
    });
    expectSameFigures([
      [picture([], [])],
      [picture([truth], [])],
      [picture([], [exact])],
      [picture([truth], [exact])],
      // Both areas at the border of small and medium.
      [picture([truth], [exact, exact, exact], 3)],
      [picture([{ ...truth, isCrowd: true }], [exact, exact])],
      [picture([{ ...truth, isCrowd: true }, truth], [exact, exact])],
      [picture([truth, truth], [exact, exact])],
      [picture([truth], [[0, 0, 32, 32, 0.5, 7]])],
      [picture([{ ...truth, width: 0, area: 0 }], [exact])],
      [picture([truth], [exact], 0), picture([{ ...truth, category: 1 }], [exact], 1)],
      [picture([truth], [[0, 0, 32, 16, 0.5, 0]])],
    ]);
  });

  it('of the agreement is that of pycocotools with what the reference finds for the truth', () => {
    const dataSets = [1, 2, 3, 4].map((seed) =>
      randomPictures(seed, {
        pictures: 10,
        classes: 3,
        levels: 64,
        mostTruths: 6,
        mostFound: 20,
        mostCount: 1,
      }),
    );
    const references = dataSets.map((pictures) =>
      pictures.map((picture) => picture.found.filter((_, i) => i % 3 > 0)),
    );
    const peer = askPeer(
      dataSets.map((pictures, d) =>
        pictures.map(({ found }, i) => ({
          found,
          truths: (references[d]?.[i] ?? [])
            .filter(([, , , , score]) => score >= 0.3)
            .map(([x, y, width, height, , category]) => ({
              ...{ category, x, y, width, height },
              isCrowd: false,
              area: width * height,
            })),
          count: 1,
        })),
      ),
    );
    dataSets.forEach((pictures, d) => {
      const reference = (references[d] ?? []).map((found) => answerOf({ truths: undefined, found }));
      const answers = pictures.map(({ found }) => answerOf({ truths: undefined, found }));
      const ours = measureDetections(answers, reference, 0.3)()['agreement_map_50'] as number;
      expect(ours).toBeGreaterThan(0.1);
      expect(Math.abs(ours - (peer[d]?.['map_50'] as number))).toBeLessThan(TOLERANCE);
    });
  });
});

function expectSameFigures(dataSets: readonly (readonly Picture[])[]): void {
  const peer = askPeer(dataSets);
  dataSets.forEach((pictures, i) => {
    const answers = pictures.map(answerOf);
    const ours = measureDetections(answers, answers, 0.3)(pictures.map(({ count }) => count));
    const theirs = peer[i] ?? {};
    expect(Object.keys(theirs)).toHaveLength(7);
    for (const [name, expected] of Object.entries(theirs)) {
      const difference = expected === null ? ours[name] : Math.abs((ours[name] as number) - expected);
      if (difference === null || (difference as number) < TOLERANCE) continue;
      expect.fail(`data set ${i}: ${name} is ${ours[name]} here and ${expected} there`);
    }
  });
}

function askPeer(dataSets: readonly (readonly Picture[])[]): readonly Figures[] {
  const { python = '' } = findPeerPython();
  const { status, stdout, stderr } = spawnSync(python, ['-B', SCRIPT], {
    input: JSON.stringify(dataSets),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as readonly Figures[];
}

function whyNotTested(): string | undefined {
  const { python, reason } = findPeerPython();
  if (python === undefined) return reason;
  const { status } = spawnSync(python, ['-c', 'import pycocotools.cocoeval']);
  return status === 0 ? undefined : `${python} has no pycocotools`;
}
