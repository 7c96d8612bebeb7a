import type { TSchema } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { Settings } from 'typebox/system';
import { Errors } from 'typebox/value';
import { type Problem, problem } from '../core/problem.ts';
import { didYouMean } from './did-you-mean.ts';
import { joinPointer, pointerSegments, type YamlDocument } from './yaml-document.ts';

export type SchemaProblemKind = 'unknown-field' | 'missing-field' | 'invalid-value';

const MAX_ERRORS = 200;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Everything in `document` that its schema does not allow, each with line, column and field, in the order of
 * the file. Hints come from the schema: the nearest known name, the allowed values, a field's description.
 */
export function schemaProblems(
  schema: TSchema,
  document: YamlDocument,
): readonly Problem<SchemaProblemKind>[] {
  return withoutUnionNoise(allErrors(schema, document.value))
    .flatMap((error) => describe(error, schema, document))
    .sort(byPlace);
}

/** Orders problems as a reader of the file meets them. */
export function byPlace(a: Problem, b: Problem): number {
  return (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0);
}

/** TypeBox stops at eight errors; its only switch is process-wide, so it is turned for this synchronous call alone. */
function allErrors(schema: TSchema, value: unknown): readonly TLocalizedValidationError[] {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: MAX_ERRORS });
  try {
    return Errors(schema, value);
  } finally {
    Settings.Set({ maxErrors });
  }
}

/**
 * A validator reports a failed union as the errors of every branch. What helps is the branch that was meant:
 * the one whose type is that of the value. Where none or several could be meant, or the value is a word that no
 * branch lists, the union's own error stays.
 */
function withoutUnionNoise(
  errors: readonly TLocalizedValidationError[],
): readonly TLocalizedValidationError[] {
  let kept = errors.filter(({ keyword }) => keyword !== 'boolean');
  for (const union of errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')) {
    const prefix = `${union.schemaPath}/${union.keyword}/`;
    const branchOf = ({ schemaPath, instancePath }: TLocalizedValidationError): string | undefined =>
      schemaPath.startsWith(prefix) && `${instancePath}/`.startsWith(`${union.instancePath}/`)
        ? schemaPath.slice(prefix.length).split('/')[0]
        : undefined;
    const isOtherType = (branch: string): boolean =>
      kept.some(({ keyword, schemaPath, instancePath }) => {
        const atBranch = schemaPath === prefix + branch && instancePath === union.instancePath;
        return atBranch && (keyword === 'type' || keyword === 'enum');
      });
    const branches = [...new Set(kept.flatMap((error) => branchOf(error) ?? []))];
    const meant = branches.filter((branch) => !isOtherType(branch));
    const chosen = meant.length === 1 ? meant[0] : undefined;
    kept = kept.filter((error) =>
      error === union ? chosen === undefined : [undefined, chosen].includes(branchOf(error)),
    );
  }
  return kept;
}

function describe(
  error: TLocalizedValidationError,
  schema: TSchema,
  document: YamlDocument,
): readonly Problem<SchemaProblemKind>[] {
  const rule = resolvePointer(schema, error.schemaPath.replace(/^#/, '')) as JsonObject | undefined;
  const value = resolvePointer(document.value, error.instancePath);
  const subject = error.instancePath === '' ? 'the file' : `"${pointerSegments(error.instancePath).at(-1)}"`;
  const invalid = (message: string, hint?: string): readonly Problem<SchemaProblemKind>[] => {
    const advice = hint ?? description(rule);
    return [
      problem('invalid-value', message, {
        place: document.placeOf(error.instancePath, 'value'),
        ...(advice === undefined ? {} : { hint: advice }),
      }),
    ];
  };

  switch (error.keyword) {
    case 'additionalProperties':
      return error.params.additionalProperties.map((name) =>
        unknownField(name, error.instancePath, rule, document),
      );
    case 'required':
      return error.params.requiredProperties.map((name) =>
        missingField(name, error.instancePath, rule, document),
      );
    case 'type':
      return invalid(`${subject} must be ${withArticle(error.params.type)}, but is ${show(value)}`);
    case 'enum': {
      const allowed = error.params.allowedValues.map(String);
      return invalid(
        `${subject} is ${show(value)}, but must be one of: ${allowed.join(', ')}`,
        meantWord(value, allowed),
      );
    }
    case 'const':
      return invalid(`${subject} is ${show(value)}, but must be ${show(error.params.allowedValue)}`);
    case 'pattern':
      return invalid(`${subject} is ${show(value)}, which is not of the form ${error.params.pattern}`);
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return invalid(
        `${subject} is ${show(value)}, but must be ${error.params.comparison} ${error.params.limit}`,
      );
    case 'minItems':
      return invalid(`${subject} must have at least ${error.params.limit} entry`);
    case 'anyOf':
      return invalid(
        `${subject} must be ${branchTypes(rule).join(' or ')}, but is ${show(value)}`,
        meantWord(value, branchWords(rule)),
      );
    case 'oneOf':
      return invalid(`${subject} must give exactly one of: ${requiredOfBranches(rule).join(', ')}`);
    default:
      return invalid(`${subject} ${error.message}`);
  }
}

function unknownField(
  name: string,
  parent: string,
  rule: JsonObject | undefined,
  document: YamlDocument,
): Problem<SchemaProblemKind> {
  const known = Object.keys((rule?.['properties'] ?? {}) as JsonObject);
  const near = didYouMean(name, known);
  return problem('unknown-field', `there is no field "${name}"`, {
    place: document.placeOf(joinPointer(parent, name), 'key'),
    hint: near === undefined ? `the fields here are: ${known.join(', ')}` : `did you mean "${near}"?`,
  });
}

function missingField(
  name: string,
  parent: string,
  rule: JsonObject | undefined,
  document: YamlDocument,
): Problem<SchemaProblemKind> {
  const advice = description(
    resolvePointer(rule, joinPointer('/properties', name)) as JsonObject | undefined,
  );
  return problem('missing-field', `the field "${name}" is missing`, {
    place: { ...document.placeOf(parent, 'key'), field: joinPointer(parent, name) },
    ...(advice === undefined ? {} : { hint: `add it: ${advice}` }),
  });
}

function resolvePointer(root: unknown, pointer: string): unknown {
  return pointerSegments(pointer).reduce<unknown>(
    (node, segment) =>
      typeof node === 'object' && node !== null ? (node as JsonObject)[segment] : undefined,
    root,
  );
}

function description(rule: JsonObject | undefined): string | undefined {
  const text = rule?.['description'];
  return typeof text === 'string' ? text : undefined;
}

function meantWord(value: unknown, allowed: readonly string[]): string | undefined {
  const near = typeof value === 'string' ? didYouMean(value, allowed) : undefined;
  return near === undefined ? undefined : `did you mean "${near}"?`;
}

function branchTypes(rule: JsonObject | undefined): readonly string[] {
  const branches = (rule?.['anyOf'] ?? []) as readonly JsonObject[];
  return branches.map((branch) => {
    const allowed = branch['enum'] as readonly unknown[] | undefined;
    return allowed === undefined ? withArticle(String(branch['type'])) : allowed.map(show).join(', ');
  });
}

function branchWords(rule: JsonObject | undefined): readonly string[] {
  const branches = (rule?.['anyOf'] ?? []) as readonly JsonObject[];
  return branches.flatMap((branch) => (branch['enum'] ?? []) as readonly string[]);
}

function requiredOfBranches(rule: JsonObject | undefined): readonly string[] {
  const branches = (rule?.['oneOf'] ?? []) as readonly JsonObject[];
  return branches.flatMap((branch) => (branch['required'] ?? []) as readonly string[]);
}

function withArticle(type: string | readonly string[]): string {
  return [type]
    .flat()
    .map((name) => (name === 'array' ? 'list' : name))
    .map((name) => `${/^[aeio]/.test(name) ? 'an' : 'a'} ${name}`)
    .join(' or ');
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string'
    ? `"${value.length > 60 ? `${value.slice(0, 60)}…` : value}"`
    : String(value);
}
