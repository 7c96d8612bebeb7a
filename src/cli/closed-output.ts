/**
 * Lets work end in its own way when whoever reads its output has gone, as `head` does: what can no longer be printed is
 * dropped, and the exit code still tells how it went.
 */
export function dropOutputWhenClosed(streams: readonly NodeJS.WriteStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
