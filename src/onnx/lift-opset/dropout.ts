import { removeAttribute } from '../attributes.ts';
import { notLiftable, type Rewriting } from './rewriting.ts';

/**
 * Dropout: `ratio` became an input in opset 12, and training a mode that is off by default. Outside training the ratio
 * has no effect, so that it is dropped. The mask of an inference was never defined well: its type changed in opset 10
 * and its value in 12.
 */
export const liftDropout: Rewriting = (node, context) => {
  const mask = node.output[1];
  if (context.isRead(mask))
    throw notLiftable(node, `its mask ${mask} is used, which older opsets do not define`);
  if (node.attribute.length === 0 && node.output.length === 1) return undefined;
  removeAttribute(node, 'ratio');
  node.output.length = 1;
  return [node];
};
