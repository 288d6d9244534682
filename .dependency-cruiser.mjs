// The import table of ARCHITECTURE.md as rules. scripts/check.ts runs it over src and counts the files it read,
// and runs it again over test/planted, where every planted violation must be found.
const folders = {
  library: ['library'],
  platform: ['platform', 'library'],
  config: ['config', 'platform', 'library'],
  supervision: ['supervision', 'platform', 'library'],
  catalog: ['catalog', 'library', 'platform'],
  content: ['content', 'library', 'platform'],
  origins: ['origins', 'library', 'platform'],
  tags: ['tags', 'library', 'platform'],
  fuse: ['fuse', 'library', 'platform', 'catalog', 'content', 'origins'],
  actors: [
    'actors',
    'catalog',
    'content',
    'origins',
    'tags',
    'library',
    'platform',
    'supervision',
    'fuse',
    'control',
  ],
  control: ['control', 'library', 'platform'],
  keeper: ['keeper', 'fuse', 'platform', 'library'],
  cli: ['cli', 'control', 'config', 'platform', 'keeper', 'fuse', 'library'],
};

/** @param {string} root the folder that holds the layers: src, or the planted tree */
export function rulesFor(root) {
  const rules = Object.entries(folders).map(([from, allowed]) => ({
    name: `${from}-imports`,
    severity: 'error',
    from: { path: `^${root}/${from}/` },
    to: { path: `^${root}/`, pathNot: `^${root}/(${allowed.join('|')})/` },
  }));
  return [
    ...rules,
    {
      name: 'library-is-pure',
      severity: 'error',
      from: { path: `^${root}/library/` },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional'] },
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
      from: { path: `^${root}/`, pathNot: `^${root}/platform/native\\.ts$` },
      to: { path: 'node_modules/koffi/' },
    },
    {
      name: 'fuse-reads-the-local-origin-only',
      severity: 'error',
      from: { path: `^${root}/fuse/` },
      to: { path: `^${root}/origins/`, pathNot: `^${root}/origins/local-reader\\.ts$` },
    },
    {
      name: 'cli-sees-the-control-client-only',
      severity: 'error',
      from: { path: `^${root}/cli/` },
      to: { path: `^${root}/control/`, pathNot: `^${root}/control/(client|generated)` },
    },
    {
      name: 'nobody-imports-app',
      severity: 'error',
      from: { path: `^${root}/`, pathNot: `^${root}/(app/|main\\.ts$)` },
      to: { path: `^${root}/app/` },
    },
    { name: 'no-circles', severity: 'error', from: { path: `^${root}/` }, to: { circular: true } },
  ];
}

export default {
  forbidden: rulesFor('src'),
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
