import { type Command, InvalidArgumentError } from 'commander';
import { type Client, createClient } from '../../client/client.ts';
import type { Problem } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import { readAccessToken } from '../../store/access-token.ts';

export const DEFAULT_AGENT = new URL('http://127.0.0.1:9477');

/** Which daemon is meant, and what it wants to see. */
export interface AgentOptions {
  readonly agent?: URL;
  readonly tokenFile?: string;
}

/** @param otherwise what is done without `--agent`, in words */
export function addAgentOptions(
  command: Command,
  description: string,
  otherwise = `default: ${DEFAULT_AGENT.origin}`,
): Command {
  return command
    .option('--agent <url>', `${description} (${otherwise})`, agentUrl)
    .option('--token-file <file>', 'the access token of the daemon, in a file, such as DATA-DIR/token');
}

export function agentUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new InvalidArgumentError(`expected a URL such as ${DEFAULT_AGENT.origin} but found '${text}'`);
}

/** Errors: `token-unreadable`, `token-malformed`. */
export function openClient({ agent = DEFAULT_AGENT, tokenFile }: AgentOptions): Result<Client, Problem> {
  if (tokenFile === undefined) return ok(createClient({ url: agent }));
  const token = readAccessToken(tokenFile);
  return token.ok ? ok(createClient({ url: agent, token: token.value })) : token;
}
