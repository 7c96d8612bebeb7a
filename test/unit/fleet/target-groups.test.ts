import { describe, expect, it } from 'vitest';
import { targetOf, withoutDuplicates } from '../../../src/fleet/target.ts';
import { parseTargetGroups, toTargetGroups } from '../../../src/fleet/target-groups.ts';
import { unwrap } from '../../support/unwrap.ts';

const parse = (text: string) => parseTargetGroups(text, 'agents.yaml', 'http');

describe('parseTargetGroups', () => {
  it('reads what Prometheus reads, as YAML and as JSON', () => {
    const yaml = `
- targets: [gpu-1:9477, '[::1]:9477']
  labels: { rack: a, __meta_x: y }
- targets: ['10.0.0.2:443']
  labels: { instance: third, __scheme__: https }
`;
    const targets = unwrap(parse(yaml));
    expect(targets.map(({ name, url, labels }) => [name, url?.href, labels])).toEqual([
      ['gpu-1:9477', 'http://gpu-1:9477/', { rack: 'a' }],
      ['[::1]:9477', 'http://[::1]:9477/', { rack: 'a' }],
      ['third', 'https://10.0.0.2/', { instance: 'third' }],
    ]);
    expect(unwrap(parse('[{"targets":["gpu-1:9477"]}]'))).toHaveLength(1);
    expect(unwrap(parse(''))).toEqual([]);
  });

  it.each([
    ['- targets: x', 'invalid-value', '/0/targets', 1],
    ['- targets: []\n  lables: {}', 'unknown-field', '/0/lables', 2],
    ['- labels: {}', 'missing-field', '/0', 1],
    ['- targets: [a:1]\n- targets: [b:1, "http://h/path"]', 'target-malformed', '/1/targets/1', 2],
    ['- targets: ["a b"]', 'target-malformed', '/0/targets/0', 1],
    ['- targets: ["h:99999"]', 'target-malformed', '/0/targets/0', 1],
    ['- targets: ["https://user:pass@h:1"]', 'target-malformed', '/0/targets/0', 1],
    ['- targets: ["ftp://h:1"]', 'target-malformed', '/0/targets/0', 1],
    ['- [', 'yaml-syntax', undefined, 1],
  ])('says where %j is wrong', (text, kind, field, line) => {
    const parsed = parse(text);
    const [first] = parsed.ok ? [] : parsed.error;
    expect(first).toMatchObject({ kind, place: { file: 'agents.yaml', line } });
    expect(first?.place?.field?.startsWith(field ?? '') ?? field === undefined).toBe(true);
  });

  it('writes what it reads', () => {
    const groups = [
      { targets: ['gpu-1:9477'], labels: { rack: 'a' } },
      { targets: ['[::1]:80'], labels: {} },
      { targets: ['h:443'], labels: { instance: 'x', __scheme__: 'https' } },
    ];
    expect(toTargetGroups(unwrap(parse(JSON.stringify(groups))))).toEqual(groups);
  });
});

describe('withoutDuplicates', () => {
  it('keeps the first word of an agent that two sources list', () => {
    const one = unwrap(targetOf('h:9477', { instance: 'one' }));
    const again = unwrap(targetOf('http://h:9477', {}));
    const tls = unwrap(targetOf('https://h:9477', {}));
    const pending = { name: 'node', url: null, labels: {} };
    expect(withoutDuplicates([one, again, tls, pending, pending])).toEqual([one, tls, pending]);
  });
});
