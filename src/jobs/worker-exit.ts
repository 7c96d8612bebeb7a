import { type Problem, problem } from '../core/problem.ts';
import { refusedConfinement } from './confinement/confined-worker.ts';
import { refusedPinning } from './pinned-fork.ts';

/** What the C++ runtime and V8 say when the kernel gives them no more memory. */
const OUT_OF_MEMORY = /std::bad_alloc|out of memory|Cannot allocate memory/i;

/** Why a worker ended that nobody here ended: by its exit code or signal, and by what it wrote to stderr at last. */
export function reasonOfExit(code: number | null, signal: NodeJS.Signals | null, stderr: string): Problem {
  const said = lastWords(stderr);
  const words = said === undefined ? '' : `; its last words: ${said.slice(0, 300)}`;
  if (signal === 'SIGKILL' || signal === 'SIGTERM') {
    return problem('worker-killed', `the worker was ended by ${signal} from outside${words}`, {
      hint:
        signal === 'SIGKILL'
          ? 'if nobody did it on purpose, the kernel did for lack of memory: see `dmesg`'
          : 'start the job again',
    });
  }
  if (signal === 'SIGXCPU') {
    return problem('cpu-limit-exceeded', `the worker used more CPU time than it may have${words}`, {
      hint: 'a model or module that never ends does this; for work that takes so long, raise the limit',
    });
  }
  const refused = refusedPinning(said) ?? refusedConfinement(said);
  if (refused !== undefined) return refused;
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  if (signal !== null && OUT_OF_MEMORY.test(stderr)) {
    return problem('memory-limit-exceeded', `the worker asked for more memory than it may have${words}`, {
      hint: 'take fewer threads, lanes or samples at a time, or a host with more free memory, or raise the limit',
    });
  }
  return problem('worker-crashed', `the worker ended ${how} before it was done${words}`, {
    hint: 'the model made the runtime abort; check it with the ONNX checker of the tool that wrote it',
  });
}

export function timeLimitExceeded(seconds: number): Problem<'time-limit-exceeded'> {
  return problem(
    'time-limit-exceeded',
    `the worker did not answer within the ${seconds} s that it may take`,
    {
      hint: 'a model or module that never ends does this; for work that takes so long, raise the limit',
    },
  );
}

/** The last line that is not a part of a stack trace or the version that Node.js signs an uncaught error with. */
function lastWords(stderr: string): string | undefined {
  return stderr
    .split('\n')
    .filter((line) => /^\S/.test(line) && !/^(Node\.js v|[}\]])/.test(line))
    .at(-1);
}
