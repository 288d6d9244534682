// The import table of ARCHITECTURE.md as rules of dependency-cruiser. scripts/check.ts runs them over src and counts the
// files it read, and runs them again over test/planted, where every planted violation must be found.
import type { ICruiseOptions, IForbiddenRuleType } from 'dependency-cruiser';

/** Folder below src → folders it may import. */
const folders: Readonly<Record<string, readonly string[]>> = {
  library: ['library'],
  platform: ['platform', 'library'],
  config: ['config', 'platform', 'library'],
  supervision: ['supervision', 'platform', 'library'],
  catalog: ['catalog', 'library', 'platform'],
  content: ['content', 'library', 'platform'],
  origins: ['origins', 'library', 'platform'],
  tags: ['tags', 'library', 'platform'],
  made: ['made', 'library', 'platform'],
  artwork: ['artwork', 'made', 'library', 'platform'],
  fetch: ['fetch', 'content', 'origins', 'catalog', 'library', 'platform'],
  fuse: ['fuse', 'fetch', 'library', 'platform', 'catalog', 'content', 'origins'],
  actors: [
    'actors',
    'catalog',
    'content',
    'fetch',
    'origins',
    'tags',
    'artwork',
    'made',
    'library',
    'platform',
    'supervision',
    'fuse',
    'control',
  ],
  control: ['control', 'library', 'platform'],
  keeper: ['keeper', 'config', 'fuse', 'platform', 'library'],
  cli: ['cli', 'control', 'config', 'platform', 'keeper', 'fuse', 'library'],
};

/** The rules for a tree whose layers lie below `root`: src, or the planted one. */
export function rulesFor(root: string): IForbiddenRuleType[] {
  const rules = Object.entries(folders).map(([from, allowed]) => ({
    name: `${from}-imports`,
    severity: 'error' as const,
    from: { path: `^${root}/${from}/` },
    to: { path: `^${root}/`, pathNot: `^${root}/(${allowed.join('|')})/` },
  }));
  return [
    ...rules,
    {
      name: 'library-is-pure',
      severity: 'error',
      from: { path: `^${root}/library/` },
      // What translates patterns of gitignore touches nothing either.
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional'],
        pathNot: '^node_modules/ignore/',
      },
    },
    {
      name: 'nact-only-in-supervision',
      severity: 'error',
      from: { path: `^${root}/`, pathNot: `^${root}/supervision/` },
      to: { path: 'node_modules/nact/' },
    },
    {
      name: 'koffi-only-in-platform-native',
      severity: 'error',
      from: { path: `^${root}/`, pathNot: `^${root}/platform/native(-mount|-passthrough|-notify)?\\.ts$` },
      to: { path: 'node_modules/koffi/' },
    },
    {
      name: 'fuse-reads-the-local-origin-only',
      severity: 'error',
      from: { path: `^${root}/fuse/` },
      to: {
        path: `^${root}/origins/`,
        pathNot: `^${root}/origins/(local-reader|backing-files|failed-ranges)\\.ts$`,
      },
    },
    {
      name: 'fuse-sees-the-reader-of-the-fetch-thread-only',
      severity: 'error',
      from: { path: `^${root}/fuse/` },
      to: { path: `^${root}/fetch/`, pathNot: `^${root}/fetch/remote-reader\\.ts$` },
    },
    {
      name: 'cli-sees-the-control-client-only',
      severity: 'error',
      from: { path: `^${root}/cli/` },
      to: { path: `^${root}/control/`, pathNot: `^${root}/control/(client|describe-status|generated)` },
    },
    {
      name: 'nobody-imports-app',
      severity: 'error',
      from: { path: `^${root}/`, pathNot: `^${root}/(app/|main\\.ts$)` },
      to: { path: `^${root}/app/` },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: { path: `^${root}/`, pathNot: '/generated/' },
      to: { circular: true },
    },
  ];
}

export const cruiseOptions: ICruiseOptions = {
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
};
