/**
 * Names as TensorFlow's tools read them: an operator is `name:Type`, the name of `[A-Za-z0-9.][A-Za-z0-9_./>-]*`, the type of
 * `[A-Z_][A-Za-z0-9_]*`; what is written in another way they drop silently. Source: tsl/profiler/utils/tf_op_utils.cc.
 */
export class OpNames {
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** Different for different nodes; the type stands for a name of which nothing is left. */
  nameOf(node: string, op: string): string {
    const known = this.#names.get(node);
    if (known !== undefined) return known;
    const cleaned = cleanName(node) || typeOf(op);
    let name = cleaned;
    for (let number = 2; this.#taken.has(name); number++) name = `${cleaned}_${number}`;
    this.#taken.add(name);
    this.#names.set(node, name);
    return name;
  }
}

export function typeOf(op: string): string {
  const cleaned = op.replace(/[^A-Za-z0-9_]/g, '_');
  return /^[A-Z_]/.test(cleaned) ? cleaned : `_${cleaned}`;
}

export function cleanName(name: string): string {
  return name.replace(/[^A-Za-z0-9_./>-]/g, '_').replace(/^[^A-Za-z0-9.]+/, '');
}

/** How models are told apart in names: by what stands behind the colon, where that is enough. */
export function shortModelNames(modelIds: readonly string[]): ReadonlyMap<string, string> {
  const ids = [...new Set(modelIds)];
  const short = ids.map((id) => cleanName(id.slice(id.lastIndexOf(':') + 1)));
  const isEnough = new Set(short).size === ids.length && short.every((name) => name !== '');
  return new Map(ids.map((id, index) => [id, isEnough ? (short[index] as string) : cleanName(id)]));
}
