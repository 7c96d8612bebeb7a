import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { createClient } from '../../client/client.ts';
import { readSmallFile } from '../../config/read-small-file.ts';
import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type DiscoveryContext, discoverAgents, type FleetSources } from '../../fleet/discover.ts';
import type { FleetAgent } from '../../fleet/fleet-agent.ts';
import type { Target } from '../../fleet/target.ts';
import { readAccessToken } from '../../store/access-token.ts';
import { durationSeconds, positiveInteger } from '../option-parsers.ts';
import { withoutAbsent } from '../without-absent.ts';

/** Where the agents of the fleet are, and how they are asked. */
export interface FleetOptions {
  readonly agent?: readonly string[];
  readonly targets?: readonly string[];
  readonly sd?: readonly URL[];
  readonly prometheus?: URL;
  readonly job: string;
  readonly kubernetes: boolean;
  readonly kubernetesApi?: URL;
  readonly selector: string;
  readonly namespace?: string;
  readonly scheme: 'http' | 'https';
  readonly sdTokenFile?: string;
  readonly tokenFile?: string;
  readonly tokenDir?: string;
  readonly parallel: number;
  /** Seconds. */
  readonly timeout: number;
}

/** The options that say where the agents are; each can be given more than once, and several together. */
export function addSourceOptions(command: Command): Command {
  command.optionsGroup('Where the agents are:');
  return command
    .option('--agent <address>', 'an agent, as HOST:PORT or URL; may be repeated', collect)
    .option(
      '--targets <file>',
      'a file of target groups, as Prometheus reads with file_sd_configs; may be repeated',
      collect,
    )
    .option('--sd <url>', 'an HTTP service discovery, as of http_sd_configs; may be repeated', collectUrls)
    .option('--prometheus <url>', 'a Prometheus: the agents that it scrapes', httpUrl)
    .option('--job <name>', 'the name of its scrape job', 'ptq-agent')
    .option(
      '--kubernetes',
      'the pods of a cluster, asked as a pod of it or by the current context of a kubeconfig',
      false,
    )
    .option('--kubernetes-api <url>', 'its API server, as of `kubectl proxy`', httpUrl)
    .option('--selector <labels>', 'of the pods', 'app.kubernetes.io/name=ptq-agent')
    .option('--namespace <name>', "of the pods; '*' is all of them (default: that of the pod or context)")
    .addOption(
      new Option('--scheme <scheme>', 'of agents of which nothing else is said')
        .choices(['http', 'https'])
        .default('http'),
    )
    .option('--sd-token-file <file>', 'the token for --sd and --prometheus, in a file')
    .option('--timeout <time>', 'how long an answer may take', durationSeconds, 10);
}

/** Those of commands that ask the agents. */
export function addFleetOptions(command: Command): Command {
  addSourceOptions(command);
  command.optionsGroup('How they are asked:');
  return command
    .option('--token-file <file>', 'the access token of all agents, in a file')
    .option(
      '--token-dir <folder>',
      'a folder with the token of each agent in a file named HOST:PORT or HOST, before --token-file',
    )
    .option('--parallel <n>', 'so many agents at a time', positiveInteger, 16);
}

/** The agents of the fleet, with clients for them. Problems: those of `discoverAgents`, of tokens, `bad-usage`. */
export async function openFleet(
  options: FleetOptions,
): Promise<Result<readonly FleetAgent[], readonly Problem[]>> {
  const tokens = tokensOf(options);
  if (!tokens.ok) return err([tokens.error]);
  const targets = await findTargets(options);
  if (!targets.ok) return targets;
  const agents: FleetAgent[] = [];
  const problems: Problem[] = [];
  for (const target of targets.value) {
    const { url } = target;
    const token = url === null ? ok(undefined) : tokens.value(url);
    if (!token.ok) {
      problems.push(token.error);
      continue;
    }
    const credential = token.value === undefined ? {} : { token: token.value };
    const timeoutMs = options.timeout * 1000;
    agents.push({ target, client: url === null ? null : createClient({ url, timeoutMs, ...credential }) });
  }
  return problems.length === 0 ? ok(agents) : err(problems);
}

/** What the options list. Problems: those of `discoverAgents`, `token-unreadable`, `token-malformed`. */
export async function findTargets(
  options: FleetOptions,
): Promise<Result<readonly Target[], readonly Problem[]>> {
  const { sdTokenFile, timeout } = options;
  const token = sdTokenFile === undefined ? undefined : readAccessToken(sdTokenFile);
  if (token?.ok === false) return err([token.error]);
  const context: DiscoveryContext = {
    timeoutMs: timeout * 1000,
    env: process.env,
    readText: readSmallFile,
    ...(token === undefined ? {} : { token: token.value }),
  };
  return discoverAgents(sourcesOf(options), context);
}

function sourcesOf(options: FleetOptions): FleetSources {
  const { agent = [], targets = [], sd = [], prometheus, job, scheme, kubernetesApi } = options;
  const inCluster = options.kubernetes || kubernetesApi !== undefined;
  const { selector, namespace } = options;
  return {
    ...{ agents: agent, files: targets, httpSd: sd, job, scheme },
    ...withoutAbsent({
      prometheus,
      kubernetes: inCluster ? { selector, ...withoutAbsent({ api: kubernetesApi, namespace }) } : undefined,
    }),
  };
}

type TokenOf = (url: URL) => Result<string | undefined, Problem>;

/** What each agent is shown. A token of the folder goes to the agent whose address its file names, and to no other. */
function tokensOf({ tokenFile, tokenDir }: FleetOptions): Result<TokenOf, Problem> {
  const ofAll = tokenFile === undefined ? ok(undefined) : readAccessToken(tokenFile);
  if (!ofAll.ok) return ofAll;
  if (tokenDir === undefined) return ok(() => ofAll);
  if (statSync(tokenDir, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const hint = 'name a folder with --token-dir';
    return err(problem('token-unreadable', 'this is no folder', { place: { file: tokenDir }, hint }));
  }
  return ok(({ host, hostname }) => {
    const file = [host, hostname]
      .map((name) => join(tokenDir, name))
      .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
    return file === undefined ? ofAll : readAccessToken(file);
  });
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function collectUrls(text: string, before: readonly URL[] = []): readonly URL[] {
  return [...before, httpUrl(text)];
}

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new InvalidArgumentError(`expected a URL such as http://prometheus:9090 but found '${text}'`);
}
