import { didYouMean } from '../config/did-you-mean.ts';
import { type Problem, problem } from '../core/problem.ts';

/** What Ajv reports of one rule that a request breaks, with the schema that holds the rule (`verbose`). */
interface SchemaComplaint {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly parentSchema?: {
    readonly description?: string;
    readonly properties?: Readonly<Record<string, unknown>>;
  };
}

/** What fastify found wrong with a request, as problems; undefined when the fault is not the request's. */
export function requestProblems(error: unknown): readonly [Problem, ...Problem[]] | undefined {
  const { validation, code, statusCode, message } = error as {
    validation?: readonly SchemaComplaint[];
    code?: string;
    statusCode?: number;
    message?: string;
  };
  const [first, ...rest] = (validation ?? []).map(toProblem);
  if (first !== undefined) return [first, ...rest];
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return [
        problem('unsupported-media-type', 'the body must be JSON', {
          hint: 'send the header content-type: application/json',
        }),
      ];
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return [problem('body-too-large', 'the body is larger than any request needs')];
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return [problem('invalid-request', 'the body is not JSON')];
    default:
      return statusCode !== undefined && statusCode >= 400 && statusCode < 500
        ? [problem('invalid-request', `the request cannot be read: ${message ?? 'it is malformed'}`)]
        : undefined;
  }
}

function toProblem(complaint: SchemaComplaint): Problem {
  const { keyword, instancePath, params, parentSchema, message } = complaint;
  const invalid = (field: string, text: string, hint?: string) =>
    problem('invalid-request', text, { place: { field }, ...(hint === undefined ? {} : { hint }) });
  const subject = instancePath === '' ? 'the body' : `"${instancePath.slice(1)}"`;
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const known = Object.keys(parentSchema?.properties ?? {});
      const near = didYouMean(name, known);
      const hint =
        near === undefined ? `the fields here are: ${known.join(', ')}` : `did you mean "${near}"?`;
      return invalid(`${instancePath}/${name}`, `there is no field "${name}"`, hint);
    }
    case 'required': {
      const name = String(params['missingProperty']);
      return invalid(`${instancePath}/${name}`, `"${name}" is missing`);
    }
    case 'enum': {
      const allowed = (params['allowedValues'] as readonly unknown[]).join(', ');
      return invalid(instancePath, `${subject} must be one of: ${allowed}`);
    }
    case 'pattern':
      return invalid(instancePath, `${subject} must be ${parentSchema?.description ?? 'of another form'}`);
    default:
      return invalid(instancePath, `${subject} ${message ?? 'is not valid'}`);
  }
}
