/*
 * Preloaded into a worker (NODE_OPTIONS=--import): writes what the kernel says of the process, in the kernel's own words, at the
 * instant before it sends its answer, and at the end of each phase, into the folder named by PTQ_TEST_COUNTERS, as TASK-PID.json. It
 * shares no code with what is tested.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.PTQ_TEST_COUNTERS;
if (isMainThread && folder !== undefined && process.send !== undefined) {
  let task;
  const phases = [];
  const emit = process.emit.bind(process);
  process.emit = (event, ...values) => {
    if (event === 'message') task ??= values[0]?.kind;
    return emit(event, ...values);
  };
  const send = process.send.bind(process);
  process.send = (message, ...more) => {
    if (message?.kind === 'phase') {
      phases.push({ phase: message.span.phase, io: readFileSync('/proc/self/io', 'utf8') });
    }
    if (message?.kind === 'done' || message?.kind === 'failed') {
      const status = readFileSync('/proc/self/status', 'utf8');
      const io = readFileSync('/proc/self/io', 'utf8');
      writeFileSync(`${folder}/${task}-${process.pid}.json`, JSON.stringify({ status, io, phases }));
    }
    return send(message, ...more);
  };
}
