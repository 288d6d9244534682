// The trade of the picture process: how it is started, what it is asked, what it may answer. Used by renditions.ts.
//
// It runs under util-linux setpriv, so that it ends with the daemon and can gain nothing. When the daemon is root it is
// nobody, without any capability; only where the program's own files are closed to others it has the one to read files.
// Where nothing can be gained any more (and setpriv is therefore refused) it runs by itself.
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { confinedNode } from '../platform/confined-node.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { Trade } from './picture-child.ts';
import {
  encodeQuestionHead,
  longestAnswerBytes,
  parseAnswer,
  type RenditionAnswer,
  type RenditionQuestion,
} from './rendition-protocol.ts';

const program = fileURLToPath(new URL('./rendition-process.ts', import.meta.url));

/** `dropPrivileges`: the daemon is root. */
export function renditionTrade(dropPrivileges: boolean): Trade<RenditionQuestion, RenditionAnswer> {
  return {
    name: 'picture process',
    command: () => commandOf(dropPrivileges),
    environment,
    encode: ({ bytes, sizes }) => [encodeQuestionHead(bytes.length, sizes), bytes],
    parse: parseAnswer,
    longestAnswerBytes,
    answerMs: limits.renditionMs,
    late: () =>
      new MusicfsError('deadline_exceeded', `the picture process took more than ${limits.renditionMs} ms`),
  };
}

const environment = {
  ...{ PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
  // One picture at a time: fewer threads, less memory that each sets aside, and what a large picture took is given back.
  ...{ UV_THREADPOOL_SIZE: '2', MALLOC_ARENA_MAX: '2' },
  ...{ MALLOC_MMAP_THRESHOLD_: '262144', MALLOC_TRIM_THRESHOLD_: '262144' },
  // A large picture is unpacked in memory: it may write no file.
  VIPS_DISC_THRESHOLD: '2g',
};

const nobody = '65534';

function commandOf(dropPrivileges: boolean): [program: string, ...args: string[]] {
  const capabilities = dropPrivileges && !isOpenToAll() ? '-all,+dac_read_search' : '-all';
  return confinedNode(
    ['--max-old-space-size=64', '--v8-pool-size=1', program],
    [
      ...(dropPrivileges ? ['--reuid', nobody, '--regid', nobody, '--clear-groups'] : []),
      ...['--inh-caps', capabilities, '--ambient-caps', capabilities],
      ...(dropPrivileges ? ['--bounding-set', capabilities] : []),
    ],
    dropPrivileges,
  );
}

/** Whether everybody may run this program: Node, this code, and what it loads. */
function isOpenToAll(): boolean {
  const [read, search] = [0o4, 0o1];
  return [process.execPath, program, fileURLToPath(import.meta.resolve('sharp'))].every((file) => {
    const real = realpathSync(file);
    if ((statSync(real).mode & read) === 0) return false;
    for (let folder = dirname(real); ; folder = dirname(folder)) {
      if ((statSync(folder).mode & search) === 0) return false;
      if (folder === '/') return true;
    }
  });
}
