import Schema from 'typebox/schema';

/** As much of an API description as is looked at here. */
export interface ApiDescription {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

interface DescribedOperation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
  >;
}

/** An answer as it came. */
export interface SeenAnswer {
  readonly method: string;
  /** Without the query string. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** The operation that a path belongs to: the one with the fewest parameters. */
export function operationOf(
  description: ApiDescription,
  method: string,
  path: string,
): DescribedOperation | undefined {
  const fitting = Object.entries(description.paths)
    .filter(([template]) =>
      new RegExp(`^${template.replace(/[.+]/g, '\\$&').replace(/\{[a-z]+\}/gi, '[^/]+')}$`).test(path),
    )
    .sort(([a], [b]) => a.split('{').length - b.split('{').length);
  // HEAD is answered like GET.
  const name = method.toLowerCase() === 'head' ? 'get' : method.toLowerCase();
  return fitting[0]?.[1][name];
}

/** What is wrong with an answer by the description, as sentences; empty where nothing is. */
export function mistakesIn(description: ApiDescription, answer: SeenAnswer): readonly string[] {
  const { method, path, status, contentType = '', body } = answer;
  const operation = operationOf(description, method, path);
  const isProblem = contentType.startsWith('application/problem+json');
  // What is no operation: wrong paths, wrong methods.
  if (operation === undefined)
    return isProblem ? [] : [`${method} ${path} is not described and answered ${status}`];
  const response = operation.responses[status];
  const name = `${operation.operationId} ${status}`;
  if (response === undefined) return [`${name} is not described: ${body.slice(0, 300)}`];
  if (method === 'HEAD') return [];
  if (response.content === undefined) return body === '' ? [] : [`${name} has a body`];
  const type = contentType.split(';')[0] ?? '';
  const media = response.content[type];
  if (media === undefined) return [`${name} is ${type}, but ${Object.keys(response.content)} was described`];
  if (!type.endsWith('json') || media.schema === undefined) return [];
  const schema = Schema.Compile({ ...media.schema, components: description.components } as never);
  const [isRight, errors] = schema.Errors(JSON.parse(body));
  return isRight
    ? []
    : errors.map(({ instancePath, message }) => `${name}: ${instancePath || 'it'} ${message}`);
}
