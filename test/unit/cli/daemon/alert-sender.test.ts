import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { alertSender } from '../../../../src/cli/daemon/alert-sender.ts';

const senderOf = (host: string, externalUrl?: string) =>
  alertSender({ listen: { host, port: 9477 }, watch: { webhook: { externalUrl } } } as never);

describe('alertSender', () => {
  it('is the address that the daemon listens on', () => {
    expect(senderOf('10.0.0.7')).toEqual({ instance: '10.0.0.7:9477', url: 'http://10.0.0.7:9477' });
    expect(senderOf('fd00::7')).toEqual({ instance: '[fd00::7]:9477', url: 'http://[fd00::7]:9477' });
  });

  it.each(['0.0.0.0', '::'])('is the name of the host where it listens on all of them (%s)', (host) =>
    expect(senderOf(host)).toEqual({ instance: `${hostname()}:9477`, url: `http://${hostname()}:9477` }),
  );

  it('leads people to the address that is configured for them', () =>
    expect(senderOf('127.0.0.1', 'https://gpu-1.example/')).toEqual({
      instance: '127.0.0.1:9477',
      url: 'https://gpu-1.example',
    }));
});
