// The configuration file: TOML under one strict schema. Every problem is reported at once, with the key and the way
// out; an unknown key is an error, as a misspelt one would otherwise be silently without effect.
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'smol-toml';
import * as v from 'valibot';
import { errnoOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { driverNames, passthroughModes } from '../platform/fuse-settings.ts';
import { logLevels } from '../platform/logger.ts';
import { artworkEntry } from './artwork-entry.ts';
import { libraryEntry } from './library-entry.ts';
import { originEntry, withAbsolutePaths } from './origin-entries.ts';
import { bytesOf, isSize, sizeHint } from './sizes.ts';

/** Permission bits as they are written for chmod. */
const permissions = (highest: number, hint: string) =>
  v.pipe(
    v.string(),
    v.regex(/^0?[0-7]{3}$/, 'three octal digits as for chmod, "0644"'),
    v.transform((text) => Number.parseInt(text, 8)),
    v.check((bits) => (bits & ~highest) === 0, hint),
  );
const userId = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xff_ff_ff_fe));

const schema = v.strictObject({
  mount: v.optional(v.strictObject({ point: v.optional(v.string()), allow_other: v.optional(v.boolean()) })),
  fuse: v.optional(
    v.strictObject({
      driver: v.optional(v.picklist(driverNames)),
      passthrough: v.optional(v.picklist(passthroughModes)),
      file_mode: v.optional(permissions(0o666, 'nothing in a mount is run')),
      dir_mode: v.optional(permissions(0o777, '')),
      uid: v.optional(userId),
      gid: v.optional(userId),
    }),
  ),
  log: v.optional(v.strictObject({ level: v.optional(v.picklist(logLevels)) })),
  state: v.optional(v.strictObject({ dir: v.optional(v.string()) })),
  cache: v.optional(
    v.strictObject({
      enabled: v.optional(v.boolean()),
      min_free: v.optional(v.pipe(v.string(), v.check(isSize, sizeHint), v.transform(bytesOf))),
      content_max: v.optional(v.pipe(v.string(), v.check(isSize, sizeHint), v.transform(bytesOf))),
    }),
  ),
  library: v.optional(libraryEntry),
  artwork: v.optional(artworkEntry),
  origins: v.optional(v.array(originEntry)),
});

export type ConfigFile = v.InferOutput<typeof schema>;

/** Reads and checks a file. Throws `config_invalid` with all that is wrong in it. Paths in it are made absolute. */
export function readConfigFile(file: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new MusicfsError('config_invalid', `cannot read ${file}: ${errnoOf(error) ?? messageOf(error)}`, {
      cause: error,
    });
  }
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    throw new MusicfsError('config_invalid', `${file}: ${messageOf(error).replace(/\s*\n\s*/g, ' ')}`, {
      cause: error,
    });
  }
  const parsed = v.safeParse(schema, raw);
  if (!parsed.success) {
    const problems = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'file'}: ${issue.message}`);
    throw new MusicfsError('config_invalid', `${file}: ${problems.join('; ')}`);
  }
  const here = path.dirname(realpathSync(file)); // wherever links to it lie
  const { output } = parsed;
  return {
    ...output,
    ...(output.origins === undefined
      ? {}
      : { origins: output.origins.map((origin) => withAbsolutePaths(origin, here)) }),
  };
}
