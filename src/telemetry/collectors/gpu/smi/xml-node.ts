/**
 * A part of nvidia-smi's XML as xml2js reads it (`explicitArray: false`): an element with others in it is an object, one with
 * text only a string, and one that occurs more than once an array. Whatever is not where it is looked for is undefined.
 */
export type XmlNode = unknown;

export function xmlChild(node: XmlNode, ...path: readonly string[]): XmlNode {
  return path.reduce<XmlNode>(
    (parent, name) =>
      typeof parent === 'object' && parent !== null ? (parent as Record<string, XmlNode>)[name] : undefined,
    node,
  );
}

export function xmlText(node: XmlNode, ...path: readonly string[]): string | undefined {
  const found = xmlChild(node, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** All elements of one name, be there none, one or more. */
export function xmlList(node: XmlNode, ...path: readonly string[]): readonly XmlNode[] {
  const found = xmlChild(node, ...path);
  return found === undefined ? [] : Array.isArray(found) ? found : [found];
}

/** Every text within. */
export function* xmlTexts(node: XmlNode): Generator<string> {
  if (typeof node === 'string') yield node;
  else if (typeof node === 'object' && node !== null) {
    for (const inner of Object.values(node)) yield* xmlTexts(inner);
  }
}
