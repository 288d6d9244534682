// `npm run test:programs`: players, libraries and file managers that people point at a mount, the real ones. Apart from
// `npm test`, as they are half a gigabyte to install.
import { spawnSync } from 'node:child_process';
import { needPrograms } from './system-packages.ts';

const line = needPrograms([
  ...[
    'mpv',
    'cvlc',
    'ffmpeg',
    'ffprobe',
    'mpd',
    'mpc',
    'beet',
    'gio',
    'pcmanfm',
    'xvfb-run',
    'ffmpegthumbnailer',
  ],
  ...['getfattr', 'setpriv'],
]);
if (line !== null) {
  console.error(`these tests need some programs: ${line}`);
  process.exit(1);
}
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.programs.config.ts'];
process.exitCode =
  spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
