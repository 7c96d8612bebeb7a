import { execFile } from 'node:child_process';
import { ok, type Result } from '../../core/result.ts';
import { SMART_TOOLS, type SmartLog, type SmartTool } from './smart-log.ts';

/**
 * Why there is no health log. `not-installed`: neither nvme-cli nor smartmontools is; `not-permitted`: the drive takes
 * commands from root only; `failed`: it or the tool does not answer. None of it is a fault of the sampler.
 */
export interface SmartRefusal {
  readonly state: 'not-installed' | 'not-permitted' | 'failed';
  readonly reason: string;
}

export type ReadSmart = (device: string) => Promise<Result<SmartLog, SmartRefusal>>;

const TIMEOUT_MS = 10_000;

const NOT_PERMITTED = /permission denied|operation not permitted|must be root|EACCES|EPERM/i;

/**
 * Reads the health log of an NVMe controller (`nvme0`) with the first tool that is installed. A tool that hangs is killed after
 * `timeoutMs`, and nobody waits for its end, as a hung driver may keep it for ever.
 */
export async function readSmart(
  device: string,
  {
    tools = SMART_TOOLS,
    timeoutMs = TIMEOUT_MS,
  }: { readonly tools?: readonly SmartTool[]; readonly timeoutMs?: number } = {},
): Promise<Result<SmartLog, SmartRefusal>> {
  for (const tool of tools) {
    const answer = await run(tool, device, timeoutMs);
    if (answer !== undefined) return answer;
  }
  return refusal('not-installed', 'neither nvme-cli nor smartmontools is installed');
}

/** Undefined where the tool is not installed. */
function run(
  tool: SmartTool,
  device: string,
  timeoutMs: number,
): Promise<Result<SmartLog, SmartRefusal> | undefined> {
  return new Promise((resolve) => {
    const child = execFile(tool.command, [...tool.args(device)], (error, stdout, stderr) => {
      clearTimeout(timer);
      if (error?.code === 'ENOENT') return resolve(undefined);
      // An exit status may also tell of the state of a drive that has answered all the same.
      const log = tool.parse(stdout);
      if (log.ok) return resolve(ok(log.value));
      const words = stderr.trim().split('\n')[0];
      const said = words === undefined || words === '' ? log.error : words;
      resolve(
        refusal(NOT_PERMITTED.test(`${stderr}\n${stdout}`) ? 'not-permitted' : 'failed', said.slice(0, 200)),
      );
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(refusal('failed', `${tool.command} gave no answer within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
}

function refusal(state: SmartRefusal['state'], reason: string): Result<SmartLog, SmartRefusal> {
  return { ok: false, error: { state, reason } };
}
