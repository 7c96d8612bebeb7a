/** Longer lines are cut: what a library writes may be a dump of memory. */
const MOST_CHARACTERS = 2000;
/** Of one process: one that writes without end fills no log. */
const MOST_LINES = 1000;

/**
 * Cuts what a process writes into lines and tells each, without those that are empty.
 * @returns what takes the next piece
 */
export function lineSplitter(tell: (line: string) => void): (text: string) => void {
  let rest = '';
  let told = 0;
  const one = (line: string): void => {
    if (line.trim() === '') return;
    told += 1;
    if (told < MOST_LINES) tell(line.slice(0, MOST_CHARACTERS));
    else if (told === MOST_LINES) tell('it writes more than is logged');
  };
  return (text) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) one(line);
    // A line that does not end is told as far as it goes, and what follows is another.
    if (rest.length < MOST_CHARACTERS) return;
    one(rest);
    rest = '';
  };
}
