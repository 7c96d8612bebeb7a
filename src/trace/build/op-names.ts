/**
 * Names as TensorFlow's tools read them: an operator is `name:Type`, the name of `[A-Za-z0-9.][A-Za-z0-9_./>-]*`, the type of
 * `[A-Z_][A-Za-z0-9_]*`; what is written in another way they drop silently. Source: tsl/profiler/utils/tf_op_utils.cc.
 */
export class OpNames {
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();

  /**
   * The label of a node, different for different ones; the type stands for a name of which nothing is left.
   * @param prefix  tells its model from others; may be empty
   */
  labelOf(prefix: string, node: string, op: string): string {
    const key = `${prefix}\0${node}`;
    let name = this.#names.get(key);
    if (name === undefined) {
      const cleaned = cleanName(node) || cleanName(typeOf(op)) || 'op';
      name = this.#free(prefix === '' ? cleaned : `${prefix}/${cleaned}`);
      this.#names.set(key, name);
    }
    return `${name}:${typeOf(op)}`;
  }

  #free(wanted: string): string {
    let name = wanted;
    for (let number = 2; this.#taken.has(name); number++) name = `${wanted}_${number}`;
    this.#taken.add(name);
    return name;
  }
}

function typeOf(op: string): string {
  const cleaned = op.replace(/[^A-Za-z0-9_]/g, '_');
  return /^[A-Z_]/.test(cleaned) ? cleaned : `_${cleaned}`;
}

function cleanName(name: string): string {
  return name.replace(/[^A-Za-z0-9_./>-]/g, '_').replace(/^[^A-Za-z0-9.]+/, '');
}

/** How models are told apart in names: by what stands behind the colon, where that is enough. */
export function shortModelNames(modelIds: readonly string[]): ReadonlyMap<string, string> {
  const ids = [...new Set(modelIds)];
  const short = ids.map((id) => cleanName(id.slice(id.lastIndexOf(':') + 1)));
  const isEnough = new Set(short).size === ids.length && short.every((name) => name !== '');
  return new Map(ids.map((id, index) => [id, isEnough ? (short[index] as string) : cleanName(id)]));
}
