// What of an origin is neither listed nor walked: `.musicfsignore` files with the syntax and semantics of .gitignore,
// the patterns of `library.ignore`, and the names that storage boxes and desktops leave behind.
//
// Called by whoever walks an origin: it asks `below` once for each folder it enters, and `isIgnored` for what is in it.
// Precedence is git's: a file of a deeper folder over one further up, `library.ignore` below all of them, the last
// pattern of a file over those before, and what lies below an ignored folder cannot come back. The built-in names are
// above all: a file with `*`, `!*/`, `!*.flac`, which is how one writes "music only", must not bring back `@eaDir` or
// `._song.flac`; only the configuration turns them off.
//
// The package `ignore` translates patterns into regular expressions. It is used for that alone: it takes a path below
// an ignored folder for ignored even if another file took the folder back, so each path is asked about in a form
// without that notion (all patterns negative: "unignored" is then "matches"), and precedence is decided here.
import ignore from 'ignore';
import { type IgnorePattern, type IgnoreWarning, ignorePatternsOf } from './ignore-patterns.ts';
import { libraryLimits } from './library-limits.ts';
import { isIgnoredName } from './music-files.ts';
import { baseNameOf, type RealPath, rootRealPath } from './real-path.ts';

export interface IgnoreOptions {
  /** `library.ignore`: one pattern each, relative to the root of every origin; "#" at the start is no comment here. */
  readonly patterns: readonly string[];
  /** `library.ignore_builtin`. */
  readonly builtin: boolean;
}

/** Name of the files with rules. */
export const ignoreFileName = '.musicfsignore';

/** The patterns of one file. */
interface FileRules {
  readonly folder: RealPath;
  /** The last one first. */
  readonly runs: readonly PatternRun[];
}

/** The rules that apply in one folder. Never changes; `below` gives those of another. */
export class IgnoreRules {
  /** What of this folder's own file was left out. */
  readonly warnings: readonly IgnoreWarning[];
  readonly #folder: RealPath;
  readonly #builtin: boolean;
  /** Deepest first. */
  readonly #files: readonly FileRules[];
  readonly #patternCount: number;
  /** Whether the folder itself, and so everything below it, is ignored. */
  readonly #isAllIgnored: boolean;

  private constructor(
    folder: RealPath,
    builtin: boolean,
    files: readonly FileRules[],
    patternCount: number,
    isAllIgnored: boolean,
    warnings: readonly IgnoreWarning[],
  ) {
    this.#folder = folder;
    this.#builtin = builtin;
    this.#files = files;
    this.#patternCount = patternCount;
    this.#isAllIgnored = isAllIgnored;
    this.warnings = warnings;
  }

  /** The rules of an origin's root, without its own `.musicfsignore`: that is `below(rootRealPath, file)`. */
  static root(options: IgnoreOptions): IgnoreRules {
    const lines = options.patterns.map((pattern) => (pattern.startsWith('#') ? `\\${pattern}` : pattern));
    const file = new TextEncoder().encode(lines.join('\n'));
    return new IgnoreRules(rootRealPath, options.builtin, [], 0, false, []).#with(rootRealPath, false, file);
  }

  /**
   * The rules of a folder at or below this one, `musicfsignore` being the content of its `.musicfsignore`, null without.
   * A folder without one costs an object that shares all else. Throws RangeError for a folder that lies elsewhere.
   */
  below(folder: RealPath, musicfsignore: Uint8Array | null): IgnoreRules {
    const isAllIgnored = this.isIgnored(folder, true);
    return this.#with(folder, isAllIgnored, isAllIgnored ? null : musicfsignore);
  }

  /** Whether a path at or below this folder is ignored. Throws RangeError for one that lies elsewhere. */
  isIgnored(path: RealPath, isDirectory: boolean): boolean {
    const start = this.#folder === '' ? 0 : this.#folder.length + 1;
    if (path !== this.#folder && start > 0 && !path.startsWith(`${this.#folder}/`))
      throw new RangeError('a path that is not below the folder of the rules');
    if (this.#isAllIgnored || path === this.#folder) return this.#isAllIgnored;
    for (let end = path.indexOf('/', start); end !== -1; end = path.indexOf('/', end + 1)) {
      if (this.#hides(path.slice(0, end) as RealPath, true)) return true;
    }
    return this.#hides(path, isDirectory);
  }

  #with(folder: RealPath, isAllIgnored: boolean, file: Uint8Array | null): IgnoreRules {
    const room = libraryLimits.ignorePatternsInForce - this.#patternCount;
    const { patterns, warnings } =
      file === null
        ? { patterns: [], warnings: [] }
        : ignorePatternsOf(file, Math.min(libraryLimits.ignorePatterns, room));
    const files = patterns.length === 0 ? this.#files : [{ folder, runs: runsOf(patterns) }, ...this.#files];
    const count = this.#patternCount + patterns.length;
    return new IgnoreRules(folder, this.#builtin, files, count, isAllIgnored, warnings);
  }

  /** What the rules say of a path whose folders are not ignored. */
  #hides(path: RealPath, isDirectory: boolean): boolean {
    if (this.#builtin && isIgnoredName(baseNameOf(path))) return true;
    for (const { folder, runs } of this.#files) {
      const relative = folder === '' ? path : path.slice(folder.length + 1);
      const decisive = runs.find((run) => run.matches(relative, isDirectory));
      if (decisive !== undefined) return !decisive.isNegative;
    }
    return false;
  }
}

function runsOf(patterns: readonly IgnorePattern[]): readonly PatternRun[] {
  const runs: IgnorePattern[][] = [];
  for (const pattern of patterns) {
    const run = runs.at(-1);
    if (run?.[0]?.isNegative === pattern.isNegative) run.push(pattern);
    else runs.push([pattern]);
  }
  return runs.map((run) => new PatternRun(run)).reverse();
}

/** Patterns in a row that all hide, or all take back: which one of them matches makes no difference. */
class PatternRun {
  readonly isNegative: boolean;
  /** Patterns without "/" but at their end: they speak of a name, wherever it lies. */
  readonly #names: Matcher;
  readonly #paths: Matcher;

  constructor(patterns: readonly IgnorePattern[]) {
    const bodies = patterns.map(({ body }) => body);
    const isOfName = (body: string): boolean => !/\/(?! *$)/.test(body);
    this.isNegative = patterns[0]?.isNegative ?? false;
    this.#names = new Matcher(bodies.filter(isOfName));
    this.#paths = new Matcher(bodies.filter((body) => !isOfName(body)));
  }

  matches(relative: string, isDirectory: boolean): boolean {
    const path = isDirectory ? `${relative}/` : relative;
    if (this.#names.matches(path.slice(relative.lastIndexOf('/') + 1))) return true;
    if (this.#paths.isEmpty) return false;
    const depth = relative.split('/', libraryLimits.ignoreDepth + 2).length - 1;
    return depth <= libraryLimits.ignoreDepth && this.#paths.matches(path);
  }
}

/** Says of a path whether any of some patterns matches the path itself. */
class Matcher {
  readonly isEmpty: boolean;
  #compiled: ignore.Ignore;
  #answers = 0;

  constructor(bodies: readonly string[]) {
    this.isEmpty = bodies.length === 0;
    this.#compiled = newMatcher();
    // One by one, each with a line end of its own: the package takes one CR away from whatever it is given, and a
    // further one in a pattern is a character.
    for (const body of bodies) this.#compiled.add(`!${body}\r\n`);
  }

  matches(path: string): boolean {
    if (this.isEmpty) return false;
    this.#answers += 1;
    if (this.#answers > libraryLimits.ignoreAnswersKept) {
      // Takes over the compiled patterns, not the answers, which the package keeps for ever.
      this.#compiled = newMatcher().add(this.#compiled);
      this.#answers = 1;
    }
    return this.#compiled.test(path).unignored;
  }
}

function newMatcher(): ignore.Ignore {
  return ignore({ ignoreCase: false });
}
