import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Tests that benchmark do not wait for other files of tests, nor for what else measures on the host.
process.env['PTQ_AGENT_LOCK_DIR'] = mkdtempSync(join(tmpdir(), 'ptq-lock-'));
