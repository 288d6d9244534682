// The units as they lie in the tree, and what is made of them.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationFor, dropInsFor, renderUnit, serviceNamed } from '../../../src/cli/service-files.ts';
import { readConfigFile } from '../../../src/config/config-file.ts';
import { codeOf } from '../../../src/platform/errors.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

const folder = path.resolve(import.meta.dirname, '../../../systemd');
const read = (file: string) => readFileSync(path.join(folder, file), 'utf8');
const units = ['musicfs.service', 'musicfs@.service', 'musicfs-cleanup@.service'];

/** What a unit says, without comments: "Key=value". */
function settingsOf(unit: string): string[] {
  return read(unit)
    .split('\n')
    .filter((line) => /^[A-Z]\w*=/.test(line));
}

describe('the units', () => {
  it('R-17: the service without a name is that of every name but for it', () => {
    expect(settingsOf('musicfs.service').filter((line) => !line.startsWith('Description='))).toEqual(
      settingsOf('musicfs@.service')
        .filter((line) => !line.startsWith('Description='))
        .map((line) => line.replaceAll('%i', '%p')),
    );
  });

  it.each(units)('R-17: %s keeps the mount visible and fusermount3 able to mount', (unit) => {
    const ownNamespace =
      /^(Private(?!KeyRing)|Protect|ReadWritePaths|ReadOnlyPaths|InaccessiblePaths|ExecPaths|NoExecPaths|BindPaths|BindReadOnlyPaths|TemporaryFileSystem|RootDirectory|RootImage|MountAPIVFS|MountFlags|DynamicUser|ProcSubset)/;
    // For a plain user each of these sets no_new_privs: systemd.exec(5), NoNewPrivileges=
    const noNewPrivileges =
      /^(NoNewPrivileges|SystemCall|RestrictAddressFamilies|RestrictNamespaces|RestrictRealtime|RestrictSUIDSGID|LockPersonality|MemoryDenyWriteExecute)/;
    const settings = settingsOf(unit);
    expect(settings.length).toBeGreaterThan(5);
    expect(settings.filter((line) => ownNamespace.test(line) || noNewPrivileges.test(line))).toEqual([]);
  });

  it('R-17: a tree may lie anywhere that a unit can name', () => {
    const rendered = renderUnit(
      'ExecStart="@BIN@/musicfsd"\nExecStopPost=-"@BIN@/musicfs"\n',
      '/srv/50% "a"\\b $1',
    );
    expect(rendered).toBe(
      'ExecStart="/srv/50%% \\"a\\"\\\\b $1/musicfsd"\nExecStopPost=-"/srv/50%% \\"a\\"\\\\b $1/musicfs"\n',
    );
    expect(() => renderUnit('@BIN@', '/srv/a\nb')).toThrow('cannot name');
    for (const unit of units) expect(renderUnit(read(unit), '/opt/musicfs/bin')).not.toContain('@BIN@');
  });
});

describe('a service', () => {
  it('R-17: without a name is musicfs.service, with one an instance of musicfs@.service', () => {
    expect(serviceNamed()).toEqual(serviceNamed('musicfs'));
    expect(serviceNamed()).toMatchObject({
      unit: 'musicfs.service',
      cleanupUnit: 'musicfs-cleanup@musicfs.service',
      configFile: '/etc/musicfs/musicfs.toml',
    });
    expect(serviceNamed('jazz')).toMatchObject({
      unit: 'musicfs@jazz.service',
      template: 'musicfs@.service',
      cleanupUnit: 'musicfs-cleanup@jazz.service',
      configFile: '/etc/musicfs/jazz.toml',
    });
  });

  it.each(['', '.', '../x', 'a b', 'a/b', 'a%b', 'a@b', 'ä', '-x', 'x'.repeat(49)])(
    'R-17: is never named %j, which is no part of a file or a unit',
    (name) => {
      expect(() => serviceNamed(name)).toThrow('is no name for a service');
    },
  );

  it('R-17: differs from the templates by what was asked for', () => {
    const textsFor = (user: string, passthrough: boolean) => [
      ...dropInsFor(serviceNamed('jazz'), { user, passthrough }).values(),
    ];
    expect(textsFor('musicfs', false)).toEqual([null, null]);
    expect(textsFor('musicfs', true)).toEqual([
      expect.stringContaining('[Service]\nAmbientCapabilities=CAP_SYS_ADMIN\n'),
      null,
    ]);
    expect(textsFor('alice', false)).toEqual([
      expect.stringContaining('[Service]\nUser=alice\n'),
      expect.stringContaining('[Service]\nUser=alice\n'),
    ]);
    // Root must keep what it needs to become nobody.
    expect(textsFor('root', false)[0]).toContain('\nCapabilityBoundingSet=~\n');
  });

  it('R-17: the configuration that is written for it is the one that is read', () => {
    const origins = ['/srv/a "b" \\ c', "/srv/d'e\ttab", '/srv/ü\u007f#=[x]'];
    const file = path.join(temporaryDirectory(), 'c.toml');
    writeFileSync(file, configurationFor('/mnt/m "1"', origins));
    expect(readConfigFile(file)).toEqual({
      mount: { point: '/mnt/m "1"', allow_other: true },
      origins: origins.map((root) => ({ kind: 'local', path: root })),
    });
  });

  it('R-17: a configuration is relative to where it lies, not to where a link to it does', async () => {
    const { symlinkSync } = await import('node:fs');
    const home = temporaryDirectory();
    writeFileSync(path.join(home, 'c.toml'), '[[origins]]\npath = "music"\n');
    const link = path.join(temporaryDirectory(), 'link.toml');
    symlinkSync(path.join(home, 'c.toml'), link);
    expect(readConfigFile(link).origins).toEqual([{ kind: 'local', path: path.join(home, 'music') }]);
    try {
      readConfigFile(path.join(home, 'missing.toml'));
    } catch (error) {
      expect(codeOf(error)).toBe('config_invalid');
    }
  });
});
