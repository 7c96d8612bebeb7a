/**
 * A copy of a part of a model that can be changed on its own. The bytes of tensors and strings are shared, as nobody
 * changes them in place.
 */
export function cloneMessage<T>(message: T): T {
  if (Array.isArray(message)) return message.map(cloneMessage) as T;
  if (typeof message !== 'object' || message === null || ArrayBuffer.isView(message)) return message;
  // A payload, in memory or in a file, is bytes as well.
  if ('kind' in message) return message;
  return Object.fromEntries(Object.entries(message).map(([key, value]) => [key, cloneMessage(value)])) as T;
}
