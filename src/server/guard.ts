import { type Problem, problem } from '../core/problem.ts';

/**
 * Refuses what a web page could make a browser send to a daemon: on loopback a Host that is neither an address nor this
 * machine (DNS rebinding), and everywhere an Origin other than the daemon's own.
 * @param host the request's Host header
 * @param origin the request's Origin header
 * @param anyHost where whoever asks needs a credential, which a page of another host cannot make a browser send
 */
export function guardRequest(
  host: string | undefined,
  origin: string | undefined,
  {
    anyHost = false,
    scheme = 'http',
  }: { readonly anyHost?: boolean; readonly scheme?: 'http' | 'https' } = {},
): Problem | undefined {
  const name = hostName(host ?? '');
  if (name === undefined || !(anyHost || name === 'localhost' || isAddress(name))) {
    // What is no name of a host may be anything, such as a name and a password before one.
    const shown = name === undefined ? 'of the request' : `'${name}'`;
    return problem('foreign-host', `the Host header ${shown} is not this daemon's`, {
      hint: 'use the address that the daemon listens on, or localhost; a proxy before it has to set this header so',
    });
  }
  if (origin !== undefined && origin.toLowerCase() !== `${scheme}://${host?.toLowerCase()}`) {
    return problem('foreign-origin', `requests from pages of '${origin}' are not accepted`);
  }
  return undefined;
}

function hostName(host: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^:[\]]+)(:\d+)?$/i.exec(host)?.[1]?.toLowerCase();
}

function isAddress(name: string): boolean {
  return name.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}
