/** What the daemon refused, in its own words. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'Refused';
    this.status = status;
  }
}

const TOKEN_KEY = 'ptq-agent-token';

export async function get<T>(path: string): Promise<T> {
  return (await ask(path, { headers: authorization() })).json() as Promise<T>;
}

/** Orders or changes something. Asks for the token where the daemon wants it, and forgets one that was wrong. */
export async function post<T>(path: string, body?: object): Promise<T> {
  for (;;) {
    try {
      const headers = {
        ...authorization(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const answer = await ask(path, {
        method: 'POST',
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await answer.json()) as T;
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      sessionStorage.removeItem(TOKEN_KEY);
      const token = prompt('The token of the daemon (the content of DATA-DIR/token):')?.trim();
      if (!token) throw error;
      sessionStorage.setItem(TOKEN_KEY, token);
    }
  }
}

/** Calls `onLine` with the lines of a stream until it ends or `signal` fires. */
export async function followLines(
  path: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  const answer = await ask(path, { headers: authorization(), signal });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done = true, value = '' } = (await reader?.read()) ?? {};
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  }
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(path, init);
  if (answer.ok) return answer;
  const problem = (await answer.json().catch(() => ({}))) as { detail?: string; hint?: string };
  throw new Refused(
    answer.status,
    [problem.detail ?? `the daemon answered ${answer.status}`, problem.hint].filter(Boolean).join(': '),
  );
}

/** Only for this tab, and only until it is closed. */
function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}
