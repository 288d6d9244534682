// What the control API may ask about the library. Each question is a thread of its own that ends with its answer.
import type { LookAnswer, LookTask } from '../catalog/look-thread.ts';
import type { LibraryPort } from '../control/daemon-port.ts';
import type { LibrarySettings } from '../library/library-options.ts';
import { MusicfsError } from '../platform/errors.ts';
import { look } from './look.ts';

export interface LibraryPortOptions {
  readonly catalogPath: string;
  readonly library: LibrarySettings;
}

const defaultExamples = 20;
const mostExamples = 1_000;
/** Each reads the whole catalog. */
const looksAtOnce = 2;

export function createLibraryPort({ catalogPath, library }: LibraryPortOptions): LibraryPort {
  let underWay = 0;
  const looking = async (task: LookTask, signal: AbortSignal): Promise<LookAnswer> => {
    if (underWay >= looksAtOnce)
      throw new MusicfsError('overloaded', 'others are looking at the library: try again');
    underWay += 1;
    try {
      return await look(task, signal);
    } finally {
      underWay -= 1;
    }
  };
  return {
    async previewTemplate({ template, examples }, signal) {
      const most = Math.min(examples === 0 ? defaultExamples : examples, mostExamples);
      const answer = await looking(
        { what: 'preview', catalogPath, library, template, examples: most },
        signal,
      );
      if (answer.type !== 'preview') throw notAsked();
      return answer.preview;
    },
    async explain(path) {
      const signal = AbortSignal.timeout(explainMs);
      const answer = await looking({ what: 'explain', catalogPath, library, path }, signal);
      if (answer.type !== 'explained') throw notAsked();
      return answer.explained;
    },
  };
}

const explainMs = 30_000;
const notAsked = () => new MusicfsError('internal', 'a look at the library answered something else');
