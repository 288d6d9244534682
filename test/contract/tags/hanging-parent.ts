// A process that dies by SIGKILL while its parser child hangs. Prints the child's process id before it does.
import { readFileSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { realPath } from '../../../src/library/real-path.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { defaultParserLimits, ParserPool } from '../../../src/tags/parser-pool.ts';

const [, , rootPath = '', name = ''] = process.argv;
const pool = new ParserPool({
  size: 1,
  dropPrivileges: process.getuid?.() === 0,
  limits: defaultParserLimits,
  log: silentLogger,
  clock: systemClock,
  // The first file is parsed, so the child is known to work; the second one hangs.
  failpoints: () => ['parser.file=hang;after=1'],
});
const files = [realPath(name)];
await pool.parse({ rootPath, files }, AbortSignal.timeout(10_000));
void pool.parse({ rootPath, files }, new AbortController().signal).catch(() => {});
const [pid] = pool.pids();
// A thread that waits for ever sleeps in a futex; one that waits for work sleeps in its socket.
while (!readFileSync(`/proc/${pid}/wchan`, 'utf8').includes('futex')) await setImmediate();
writeSync(1, String(pid));
process.kill(process.pid, 'SIGKILL');
