import { describe, expect, it } from 'vitest';
import { OpenFiles } from '../../../../src/telemetry/collectors/open-files.ts';
import { collectPressure } from '../../../../src/telemetry/collectors/pressure.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

describe('collectPressure', () => {
  it('reads the stall time of each resource in seconds', () => {
    expect(collectPressure(fixtureHost)).toEqual({
      ok: true,
      value: {
        cpu: { someSeconds: 15.62605, fullSeconds: 0 },
        io: { someSeconds: 6.051204, fullSeconds: 5.604808 },
        memory: { someSeconds: 0.0012, fullSeconds: 0.0008 },
      },
    });
  });

  it('takes the CPU file of kernels before 5.13, which has no full line', () => {
    const some = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n';
    expect(collectPressure(hostWith({ 'proc/pressure/cpu': some }))).toMatchObject({
      value: { cpu: { someSeconds: 2, fullSeconds: 0 } },
    });
  });

  it('is absent when the kernel lacks it', () => {
    expect(collectPressure(hostWith({ 'proc/pressure': null }))).toMatchObject({
      error: { kind: 'absent', place: { file: expect.stringMatching(/pressure\/cpu$/) } },
    });
  });

  it('is absent when the kernel was started with psi=0, which leaves files that refuse', () => {
    class RefusingFiles extends OpenFiles {
      override read(): string {
        throw Object.assign(new Error('operation not supported'), { code: 'ENOTSUP' });
      }
    }
    expect(collectPressure({ ...fixtureHost, files: new RefusingFiles() })).toMatchObject({
      error: { kind: 'absent', message: expect.stringContaining('ENOTSUP') },
    });
  });

  it('is unreadable when its file is', () => {
    // A folder in the place of the file fails to read even for root, whom no permission stops.
    const host = hostWith({ 'proc/pressure/io': null, 'proc/pressure/io/x': '' });
    expect(collectPressure(host)).toMatchObject({
      error: { kind: 'unreadable', place: { file: expect.stringMatching(/pressure\/io$/) } },
    });
  });

  it.each([
    ['some avg10=0.00 avg60=0.00 avg300=0.00 total=\n', 1],
    ['some avg10=0.00 total=5\nhalf avg10=0.00 total=5\n', 2],
    ['', 1],
  ])('names file and line of a malformed text: %j', (text, line) => {
    expect(collectPressure(hostWith({ 'proc/pressure/memory': text }))).toMatchObject({
      error: { kind: 'malformed', place: { file: expect.stringMatching(/pressure\/memory$/), line } },
    });
  });
});
