// Stands for nvidia-smi. The first argument names a JSON file (see `FakeSmiState`), which is read anew for every period.
import { readFileSync } from 'node:fs';

const [stateFile, ...parameters] = process.argv.slice(2);
const readState = () => JSON.parse(readFileSync(stateFile, 'utf8'));
const argumentOf = (name) =>
  parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);

const { fault = {} } = readState();
if (fault.stderr !== undefined) process.stderr.write(fault.stderr);
if (fault.stdout !== undefined) process.stdout.write(fault.stdout);
if (fault.ignoresSigterm) process.on('SIGTERM', () => {});
if (fault.hangs) setInterval(() => {}, 1000);
else if (fault.exit !== undefined) process.exitCode = fault.exit;
else setTimeout(answer, fault.delayMs ?? 0);

function answer() {
  const state = readState();
  const query = argumentOf('--query-gpu');
  const processQuery = argumentOf('--query-compute-apps');
  if (query !== undefined) stream((current) => rowsOf(current.gpus, query.split(','), current.offered));
  else if (processQuery !== undefined)
    stream((current) => rowsOf(current.processes ?? [], processQuery.split(',')));
  else if (parameters.includes('--help-query-gpu')) process.stdout.write(helpOf(state));
  else if (parameters.includes('-x')) process.stdout.write(state.xml ?? '');
  else if (parameters.includes('-L')) process.stdout.write(state.list ?? '');
  else process.exitCode = 2;
}

function helpOf({ help, offered }) {
  const properties = offered.map((name) => `"${name}"\nWhat it is.\n`);
  return (
    help ?? ['List of valid properties to query for the switch "--query-gpu":\n', ...properties].join('\n')
  );
}

function rowsOf(rows, fields, offered) {
  const unknown = offered === undefined ? undefined : fields.find((field) => !offered.includes(field));
  if (unknown !== undefined) {
    process.stdout.write(`Field "${unknown}" is not a valid field to query.\n`);
    process.exit(2);
  }
  // With `nounits`, numbers lose theirs.
  return rows.map((row) =>
    fields.map((field) => (row[field] ?? '[N/A]').replace(/^(-?[\d.]+) \S+$/, '$1')).join(', '),
  );
}

/** `-lms 100`: again and again, until it is killed. */
function stream(rows) {
  const periodMs = Number(parameters[parameters.indexOf('-lms') + 1]);
  let period = 0;
  const timer = setInterval(print, periodMs);
  print();

  function print() {
    const { stream: fault = {}, ...state } = readState();
    if (fault.exit !== undefined && period >= (fault.afterPeriods ?? 0)) {
      clearInterval(timer);
      if (fault.words !== undefined) process.stdout.write(fault.words);
      process.exitCode = fault.exit;
      return;
    }
    if (fault.silent) return;
    // `{period}` stands for how often it has printed.
    const lines = rows(state).map((line) => line.replaceAll('{period}', `${period}`));
    for (const line of lines) {
      if (fault.between !== undefined) process.stdout.write(fault.between);
      if (fault.stderr !== undefined) process.stderr.write(fault.stderr);
      // Half a line, then nothing of it any more.
      if (fault.halfLines) process.stdout.write(`${line.slice(0, line.length / 2)}\n`);
      // A line in two writes.
      process.stdout.write(line.slice(0, 10));
      process.stdout.write(`${line.slice(10)}\n`);
    }
    period += 1;
  }
}
