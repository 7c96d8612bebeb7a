import type { FunctionProto, GraphProto } from './messages.ts';
import { subgraphsOf } from './subgraphs.ts';

/** Gives names that no tensor and no node of a graph, or of the bodies inside it, has. */
export interface NameScope {
  /** `hint` itself when it is free, otherwise `hint_1`, `hint_2` and so on. The name is taken from then on. */
  fresh(hint: string): string;
}

/** A scope over everything named in `root` at the time of the call. The same graph gives the same names. */
export function createNameScope(root: GraphProto | FunctionProto): NameScope {
  const taken = new Set<string>();
  collectNames(root, taken);
  const nextSuffix = new Map<string, number>();
  return {
    fresh: (hint) => {
      let name = hint;
      let suffix = nextSuffix.get(hint) ?? 1;
      while (taken.has(name)) {
        name = `${hint}_${suffix}`;
        suffix += 1;
      }
      nextSuffix.set(hint, suffix);
      taken.add(name);
      return name;
    },
  };
}

function collectNames(body: GraphProto | FunctionProto, taken: Set<string>): void {
  const declared =
    'opsetImport' in body
      ? [...body.input, ...body.output]
      : [
          ...body.input.map((value) => value.name),
          ...body.output.map((value) => value.name),
          ...body.initializer.map((tensor) => tensor.name),
          ...body.sparseInitializer.map((tensor) => tensor.values?.name),
        ];
  for (const name of declared) if (name !== undefined) taken.add(name);
  for (const value of body.valueInfo) if (value.name !== undefined) taken.add(value.name);
  for (const node of body.node) {
    if (node.name !== undefined) taken.add(node.name);
    for (const name of node.input) taken.add(name);
    for (const name of node.output) taken.add(name);
    for (const subgraph of subgraphsOf(node)) collectNames(subgraph, taken);
  }
}
