import { describe, expect, it } from 'vitest';
import { SMART_TOOLS, type SmartTool } from '../../../../src/telemetry/collectors/smart-log.ts';

const [nvmeCli, smartctl] = SMART_TOOLS as [SmartTool, SmartTool];

const log = {
  percentageUsedRatio: 0.03,
  availableSpareRatio: 1,
  mediaErrors: 0,
  criticalWarning: 4,
  unsafeShutdowns: 17,
  dataReadBytes: 2_000_000 * 512_000,
  dataWrittenBytes: 3_000_000 * 512_000,
  temperatureCelsius: 38,
};

describe('nvme smart-log -o json', () => {
  const answer = {
    critical_warning: 4,
    temperature: 311,
    avail_spare: 100,
    spare_thresh: 10,
    percent_used: 3,
    data_units_read: 2_000_000,
    data_units_written: 3_000_000,
    unsafe_shutdowns: 17,
    media_errors: 0,
  };

  it('is read into base units', () => {
    expect(nvmeCli.args('nvme0')).toContain('/dev/nvme0');
    expect(nvmeCli.parse(JSON.stringify(answer))).toEqual({ ok: true, value: log });
  });

  it('is read in the form of version 2: large counters as text, warnings explained', () => {
    const explained = {
      ...answer,
      critical_warning: { value: 4, available_spare: 0, degraded: 1 },
      data_units_read: '2,000,000',
      data_units_written: '3000000',
    };
    expect(nvmeCli.parse(JSON.stringify(explained))).toEqual({ ok: true, value: log });
  });

  it('shows wear beyond what the drive was built for', () => {
    expect(nvmeCli.parse(JSON.stringify({ percent_used: 255 }))).toEqual({
      ok: true,
      value: { percentageUsedRatio: 2.55 },
    });
  });

  it('gives the words of a refusal', () => {
    expect(nvmeCli.parse('{"error": "Permission denied"}')).toEqual({
      ok: false,
      error: 'Permission denied',
    });
    expect(nvmeCli.parse('/dev/nvme0: No such file\nmore')).toEqual({
      ok: false,
      error: '/dev/nvme0: No such file',
    });
  });
});

describe('smartctl -j -A', () => {
  const health = {
    critical_warning: 4,
    temperature: 38,
    available_spare: 100,
    percentage_used: 3,
    data_units_read: 2_000_000,
    data_units_written: 3_000_000,
    unsafe_shutdowns: 17,
    media_errors: 0,
  };

  it('is read into base units', () => {
    const answer = { smartctl: { exit_status: 4 }, nvme_smart_health_information_log: health };
    expect(smartctl.parse(JSON.stringify(answer))).toEqual({ ok: true, value: log });
  });

  it('gives the words of a refusal', () => {
    const answer = {
      smartctl: { messages: [{ string: 'Smartctl open device: /dev/nvme0 failed: Permission denied' }] },
    };
    expect(smartctl.parse(JSON.stringify(answer))).toMatchObject({
      ok: false,
      error: expect.stringContaining('Permission denied'),
    });
    expect(smartctl.parse('{"smartctl": {"messages": []}}')).toMatchObject({ ok: false });
  });
});

describe.each([
  ['nvme', nvmeCli],
  ['smartctl', smartctl],
])('%s', (_name, tool) => {
  it.each([
    '',
    'null',
    '[]',
    '7',
    '{"temperature": -4}',
    '{"media_errors": "many"}',
    '{"temp',
    '\u0000\u0001',
  ])('takes %j for no log', (text) => {
    expect(tool.parse(text)).toMatchObject({ ok: false, error: expect.stringMatching(/./) });
  });
});
