import Type from 'typebox';
import { Check } from 'typebox/value';
import { schemaProblems } from '../config/schema-problems.ts';
import { parseYaml } from '../config/yaml-document.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type Target, targetOf } from './target.ts';

/** What Prometheus reads of `file_sd_configs` and `http_sd_configs`: https://prometheus.io/docs/prometheus/latest/http_sd/ */
const TargetGroupsSchema = Type.Array(
  Type.Object(
    {
      targets: Type.Array(Type.String(), { description: 'HOST:PORT of each agent' }),
      labels: Type.Optional(
        Type.Record(Type.String(), Type.String(), { description: 'what these agents have in common' }),
      ),
    },
    { additionalProperties: false },
  ),
);

type TargetGroups = Type.Static<typeof TargetGroupsSchema>;

/**
 * The agents in a list of target groups, JSON or YAML. Problems name line and field: those of the parser, `invalid-value` and its like,
 * `target-malformed`.
 * @param source the file or URL that it came from
 */
export function parseTargetGroups(
  text: string,
  source: string,
  scheme: 'http' | 'https',
): Result<readonly Target[], readonly Problem[]> {
  const parsed = parseYaml(text, source);
  if (!parsed.ok) return parsed;
  const document = parsed.value;
  const value = document.value ?? [];
  const problems: Problem[] = [
    ...document.duplicates,
    ...schemaProblems(TargetGroupsSchema, { ...document, value }),
  ];
  if (problems.length > 0 || !Check(TargetGroupsSchema, value)) return err(problems);
  const targets: Target[] = [];
  (value as TargetGroups).forEach((group, at) => {
    group.targets.forEach((address, index) => {
      const target = targetOf(address, group.labels ?? {}, scheme);
      if (target.ok) targets.push(target.value);
      else problems.push({ ...target.error, place: document.placeOf(`/${at}/targets/${index}`, 'value') });
    });
  });
  return problems.length === 0 ? ok(targets) : err(problems);
}

/** Agents as Prometheus' discovery reads them, one group each, as their labels may differ. */
export function toTargetGroups(targets: readonly Target[]): TargetGroups {
  return targets.flatMap(({ url, labels }) =>
    url === null
      ? []
      : [
          {
            targets: [`${url.hostname}:${portOf(url)}`],
            labels: { ...labels, ...(url.protocol === 'https:' ? { __scheme__: 'https' } : {}) },
          },
        ],
  );
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80');
}

/** Reads a file of target groups. Problems: `targets-unreadable`, and those of `parseTargetGroups`. */
export async function readTargetFile(
  file: string,
  scheme: 'http' | 'https',
  read: (path: string) => Promise<string>,
): Promise<Result<readonly Target[], readonly Problem[]>> {
  let text: string;
  try {
    text = await read(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    return err([
      problem('targets-unreadable', `the list of agents cannot be read (${reason})`, {
        place: { file },
        hint: 'name a file as Prometheus reads it with file_sd_configs: [{ "targets": ["gpu-host-1:9477"] }]',
      }),
    ]);
  }
  return parseTargetGroups(text, file, scheme);
}
