import type { TObject } from 'typebox';
import Type from 'typebox';
import { type Answer, type Operation, TAGS } from '../../api/operation.ts';
import { ProblemDetailsSchema } from '../../api/problem-schema.ts';
import { PROBLEM_TYPES, type ProblemType, problemPath } from '../../api/problem-types.ts';
import { PROBES } from '../access/probes.ts';
import { API_VERSION, VERSION_HEADER } from './api-version.ts';
import { type Components, createComponents } from './components.ts';
import type { PlacedOperation } from './describe.ts';

/** What decides over who may ask. */
export interface DescribedAccess {
  readonly guardsReading: boolean;
  readonly hasUsers: boolean;
}

const PARAMETERS: Readonly<Record<string, string>> = {
  id: 'the id of a run',
  model: 'the name of a registered model',
  variant: 'the name of a variant of the model',
  kind: 'the name of a type of problem',
  name: 'a name',
};

/** What any request can meet before its operation is looked at. */
const ALWAYS: readonly ProblemType[] = [
  'foreign-certificate',
  'foreign-host',
  'foreign-origin',
  'rate-limited',
  'internal-fault',
];
const WITH_CREDENTIAL: readonly ProblemType[] = ['unauthorized', 'too-many-logins'];
const WITH_BODY: readonly ProblemType[] = ['body-too-large', 'unsupported-media-type'];

/** The description of the API, made of what its routes say of themselves. */
export function openApiDocument(operations: readonly PlacedOperation[], access: DescribedAccess) {
  const components = createComponents();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const placed of operations) {
    paths[placed.path] ??= {};
    (paths[placed.path] as Record<string, unknown>)[placed.method] = described(placed, components, access);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'ptq-agent',
      version: API_VERSION,
      summary: 'Quantizes, evaluates and benchmarks the ONNX models of a host.',
      description:
        'Fields may be added to answers, and values to lists of words, without another version: readers pass over what they do ' +
        `not know. The header ${VERSION_HEADER} of every answer has this version. Every GET can be asked as HEAD.`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'the token from the file that the daemon names in its log',
        },
        ...(access.hasUsers
          ? { user: { type: 'http', scheme: 'basic', description: 'a user of the web configuration' } }
          : {}),
      },
    },
  };
}

function described(placed: PlacedOperation, components: Components, access: DescribedAccess) {
  const { method, path, operation } = placed;
  const { id, tag, summary, description, query, headers, body } = operation;
  const parameters = [
    ...[...path.matchAll(/\{([a-z]+)\}/gi)].map(([, name = '']) => ({
      name,
      in: 'path',
      required: true,
      description: PARAMETERS[name] ?? name,
      schema: { type: 'string', minLength: 1 },
    })),
    ...parametersOf('query', query, components),
    ...parametersOf('header', headers, components),
    ...(hasEtag(method, operation) ? [IF_NONE_MATCH] : []),
  ];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: components.place(body) } },
          },
        }),
    security: securityOf(method, path, operation, access),
    responses: responsesOf(
      hasEtag(method, operation) ? withEtag(operation) : operation,
      beforeOperation(placed, access),
      components,
    ),
  };
}

/** All JSON that is answered to a GET. */
function hasEtag(method: string, { answers }: Operation): boolean {
  return method === 'get' && answers[200]?.content?.['application/json'] !== undefined;
}

const IF_NONE_MATCH = {
  name: 'if-none-match',
  in: 'header',
  required: false,
  description: 'the etag of an answer that the client has',
  schema: { type: 'string' },
};

function withEtag(operation: Operation): Operation {
  const answer = operation.answers[200] as Answer;
  const tagged: Answer = { ...answer, headers: { ...answer.headers, etag: 'of the content' } };
  return {
    ...operation,
    answers: {
      ...operation.answers,
      200: tagged,
      304: { description: 'The content is that which If-None-Match names' },
    },
  };
}

function parametersOf(place: 'query' | 'header', schema: TObject | undefined, components: Components) {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: TObject['properties'];
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, of]) => {
    const { description, ...rest } = components.place(of) as Readonly<Record<string, unknown>>;
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

/** What a request can meet before its operation begins. */
function beforeOperation(
  { method, path, operation }: PlacedOperation,
  access: DescribedAccess,
): readonly ProblemType[] {
  const { query, headers } = operation;
  const canBeWrong = method !== 'get' || path.includes('{') || query !== undefined || headers !== undefined;
  const security = securityOf(method, path, operation, access);
  const isOpen = security.length === 0 || security.some((one) => Object.keys(one).length === 0);
  return [
    ...(canBeWrong ? (['invalid-request'] as const) : []),
    ...(isOpen ? [] : WITH_CREDENTIAL),
    ...ALWAYS,
    ...(method === 'get' ? [] : WITH_BODY),
  ];
}

/** Probes are for supervisors, which have no credentials. */
function securityOf(
  method: string,
  path: string,
  { startsWork }: Operation,
  { guardsReading, hasUsers }: DescribedAccess,
) {
  if (PROBES.has(path)) return [];
  const credentials = [{ token: [] }, ...(hasUsers ? [{ user: [] }] : [])];
  return method === 'get' && startsWork !== true && !guardsReading ? [{}, ...credentials] : credentials;
}

function responsesOf(
  { answers, problems = [] }: Operation,
  before: readonly ProblemType[],
  components: Components,
) {
  const responses: Record<string, unknown> = {};
  for (const [status, answer] of Object.entries(answers)) responses[status] = responseOf(answer, components);
  const kinds = [...new Set([...before, ...problems])];
  for (const status of new Set(kinds.map((kind) => PROBLEM_TYPES[kind].status))) {
    const ofStatus = kinds.filter((kind) => PROBLEM_TYPES[kind].status === status);
    const problem = problemResponse(ofStatus, components);
    responses[status] = status in responses ? bothResponses(responses[status], problem) : problem;
  }
  return responses;
}

interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, unknown>>;
}

/** A status may be an answer of the operation and of what comes before it, as 503 may. */
function bothResponses(answer: unknown, problem: Response): Response {
  const own = answer as Response;
  return {
    ...own,
    description: `${own.description}; or a problem: ${problem.description}`,
    content: { ...own.content, ...problem.content },
  };
}

function responseOf({ description, content, headers = {} }: Answer, components: Components) {
  return {
    description,
    headers: Object.fromEntries([
      ...Object.entries(headers).map(([name, meaning]) => [
        name,
        { description: meaning, schema: { type: 'string' } },
      ]),
      [VERSION_HEADER, { description: 'of this API', schema: { type: 'string' } }],
    ]),
    ...(content === undefined
      ? {}
      : {
          content: Object.fromEntries(
            Object.entries(content).map(([type, schema]) => [
              type,
              schema === null ? {} : { schema: components.place(schema) },
            ]),
          ),
        }),
  };
}

function problemResponse(kinds: readonly ProblemType[], components: Components): Response {
  const of = Type.Object({ type: Type.Unsafe<string>({ type: 'string', enum: kinds.map(problemPath) }) });
  return {
    description: kinds.map((kind) => `${kind}: ${PROBLEM_TYPES[kind].meaning}`).join(' '),
    content: {
      'application/problem+json': {
        schema: { allOf: [components.place(ProblemDetailsSchema), components.place(of)] },
      },
    },
  };
}
