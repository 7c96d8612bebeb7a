import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ID, serve, TOKEN } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function traced() {
  const folder = temporaryFolder();
  const files = { xplane: join(folder, 'vm.xplane.pb'), perfetto: join(folder, 'vm.json.gz') };
  for (const [format, file] of Object.entries(files)) writeFileSync(file, `the ${format}`);
  const reading: string[] = [];
  const { app } = serve({
    traceFile: (id, format) => (id === ID ? { run: '2026_09_21_13_33_20', file: files[format] } : undefined),
    beginReadingTrace: (run) => {
      reading.push(run);
      return () => reading.push(`${run} ended`);
    },
  });
  return { app, files, reading };
}

describe('GET /bench/{id}/trace', () => {
  it('gives the file for TensorFlow and, asked for it, that for Perfetto, and says while it is read', async () => {
    const { app, reading } = traced();
    const xplane = await app.inject(`/bench/${ID}/trace`);
    expect(xplane.statusCode).toBe(200);
    expect(xplane.body).toBe('the xplane');
    expect(xplane.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '10',
      'content-disposition': 'attachment; filename="2026_09_21_13_33_20.vm.xplane.pb"',
    });
    await vi.waitFor(() => expect(reading).toEqual(['2026_09_21_13_33_20', '2026_09_21_13_33_20 ended']));
    const perfetto = await app.inject(`/bench/${ID}/trace?format=perfetto`);
    expect(perfetto.body).toBe('the perfetto');
    expect(perfetto.headers).toMatchObject({
      'content-type': 'application/gzip',
      'content-disposition': 'attachment; filename="2026_09_21_13_33_20.vm.json.gz"',
    });
  });

  it('says why there is none: no such run, no trace, one that made room for others', async () => {
    const { app, files, reading } = traced();
    const unknown = await app.inject('/bench/01ARZ3NDEKTSV4RRFFQ69G5FAA/trace');
    expect(unknown.statusCode).toBe(404);
    expect(unknown.json()).toMatchObject({
      type: '/problems/unknown-run',
      detail: "there is no run '01ARZ3NDEKTSV4RRFFQ69G5FAA' that has a trace",
      hint: expect.stringContaining('"trace": true'),
    });
    rmSync(files.xplane);
    const gone = await app.inject(`/bench/${ID}/trace`);
    expect(gone.statusCode).toBe(404);
    expect(gone.json()).toMatchObject({ hint: expect.stringContaining('make room') });
    expect(reading).toEqual([]);
  });

  it.each([
    ['GET', '?format=html', 400],
    ['GET', '?form=xplane', 400],
    ['PUT', '', 405],
  ] as const)('refuses %s %s', async (method, query, status) => {
    const { app } = traced();
    const answer = await app.inject({
      method,
      url: `/bench/${ID}/trace${query}`,
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toMatch('application/problem+json');
  });
});
