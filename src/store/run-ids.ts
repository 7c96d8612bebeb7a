import { decodeTime, incrementBase32, ulid } from 'ulid';

/**
 * Makes ids that sort in the order in which they were made, also where the clock is set back and across restarts: an id comes
 * after `newest` and after every one that this function gave, whatever the time. @param newest the greatest id there is
 */
export function createRunIds(newest: string | undefined): (wallMs: number) => string {
  let last = newest;
  return (wallMs) => {
    // Of equal times the random parts decide, so only a later time is free to have any.
    last = last === undefined || wallMs > decodeTime(last) ? ulid(wallMs) : incrementBase32(last);
    return last;
  };
}
