/** A terminal that can be written to and has a size. */
export interface ScreenStream extends NodeJS.WritableStream {
  readonly columns?: number;
  readonly rows?: number;
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J';
const LEAVE = '\u001b[?25h\u001b[?1049l';
/** Terminals that know it show what comes between as one picture; others ignore it. */
const [BEGIN_PICTURE, END_PICTURE] = ['\u001b[?2026h', '\u001b[?2026l'];

/**
 * The terminal's second screen, in which lines are rewritten where they changed: nothing flickers, and what stood in the terminal before
 * is there again afterwards.
 */
export class LiveScreen {
  readonly #stream: ScreenStream;
  #shown: readonly string[] = [];
  #isEntered = false;

  constructor(stream: ScreenStream) {
    this.#stream = stream;
  }

  size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#stream.columns ?? 80, rows: this.#stream.rows ?? 24 };
  }

  enter(): void {
    this.#stream.write(ENTER);
    this.#isEntered = true;
  }

  draw(lines: readonly string[]): void {
    const changed = Array.from({ length: Math.max(lines.length, this.#shown.length) }, (_, index) => {
      const line = lines[index] ?? '';
      return line === this.#shown[index] ? '' : `\u001b[${index + 1};1H${line}\u001b[K`;
    }).join('');
    this.#shown = lines;
    if (changed !== '') this.#stream.write(`${BEGIN_PICTURE}${changed}${END_PICTURE}`);
  }

  /** After a change of size nothing stands where it stood. */
  clear(): void {
    this.#shown = [];
    this.#stream.write('\u001b[2J');
  }

  /** Gives the terminal back. May be called twice. */
  leave(): void {
    if (this.#isEntered) this.#stream.write(LEAVE);
    this.#isEntered = false;
  }
}
