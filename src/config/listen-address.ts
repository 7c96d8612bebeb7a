import { BlockList, isIP } from 'node:net';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';

export interface ListenAddress {
  /** A host name or an IP address, IPv6 without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export type ListenProblemKind = 'invalid-listen-address';

/** Parses `HOST:PORT`, with an IPv6 host in brackets as in `[::1]:9477`. */
export function parseListenAddress(text: string): Result<ListenAddress, Problem<ListenProblemKind>> {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535 || (match?.[1] !== undefined && isIP(host) !== 6)) {
    return err(
      problem('invalid-listen-address', `"${text}" is not an address to listen on`, {
        hint: 'write HOST:PORT, such as 127.0.0.1:9477 or [::1]:9477',
      }),
    );
  }
  return ok({ host, port });
}

/** Whether only programs of this machine can reach a host of this name. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  if (family === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
