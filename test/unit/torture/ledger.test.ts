import { describe, expect, it } from 'vitest';
import { Ledger } from '../../torture/ledger.ts';

const run = { id: 'a', state: 'succeeded', resultDigest: '1' } as const;

describe('Ledger', () => {
  it('finds nothing wrong with runs that only go on', () => {
    const ledger = new Ledger();
    expect(ledger.see({ id: 'a', state: 'running' })).toEqual([]);
    expect(ledger.accepted('7', 'b')).toEqual([]);
    expect(ledger.compare([run, { id: 'b', state: 'queued', tag: '7' }])).toEqual([]);
    expect(ledger.compare([run, { id: 'b', state: 'cancelled', tag: '7' }])).toEqual([]);
    expect(ledger.succeeded).toBe(1);
  });

  it('knows a result that was lost, one that changed, and a run that left its last state', () => {
    const ledger = new Ledger();
    ledger.see(run);
    expect(ledger.compare([])).toEqual(['a, which was succeeded, is gone']);
    expect(ledger.see({ ...run, resultDigest: '2' })).toEqual(['the result of a has changed']);
    expect(ledger.see({ id: 'a', state: 'interrupted' })).toEqual(['a was succeeded and is interrupted']);
  });

  it('knows an order that was lost, carried out twice, or accepted under two names', () => {
    const ledger = new Ledger();
    ledger.accepted('7', 'b');
    expect(ledger.compare([])).toEqual(['order 7 was accepted as b, which is gone']);
    expect(ledger.accepted('7', 'c')).toEqual(['order 7 was accepted as b and then as c']);
    const twice = [
      { id: 'b', state: 'queued', tag: '7' },
      { id: 'c', state: 'queued', tag: '7' },
    ] as const;
    expect(ledger.compare(twice)).toEqual(['order 7 was carried out twice, as b and c']);
  });

  it('lets a run be gone that somebody asked to delete, and knows one that comes back', () => {
    const ledger = new Ledger();
    ledger.see(run);
    ledger.deleting('a');
    expect(ledger.compare([run])).toEqual([]);
    expect(ledger.compare([])).toEqual([]);
    ledger.deleted('a');
    expect(ledger.compare([run])).toEqual(['a was deleted and is there again']);
  });
});
