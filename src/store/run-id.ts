import { isValid, decodeTime as timeOf } from 'ulid';

/** Whether a text is the id of a run: a ULID, in capital letters as they are made. */
export function isRunId(text: string): boolean {
  return isValid(text) && text === text.toUpperCase();
}

/** When a run with this id was ordered, in milliseconds since the Unix epoch. */
export function decodeTime(id: string): number {
  return timeOf(id);
}
