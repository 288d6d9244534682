// Whether the user of a service can reach what the service needs, asked as that user, with all groups it has: only the
// kernel knows what owners, groups and access lists come to. Each answer that is no comes with the line that mends it.
import { statSync } from 'node:fs';
import path from 'node:path';
import { MusicfsError } from '../platform/errors.ts';
import { type ProgramEnd, runProgram } from './run-program.ts';

/** A listing of two levels; a disk that sleeps needs a while. */
const lookMs = 60_000;

export interface Account {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** Throws `refused` when this machine knows no such user. */
export async function accountOf(user: string): Promise<Account> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((what) => runProgram('id', [what, '--', user])));
  if (uid?.code === 0 && gid?.code === 0) return { user, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  throw new MusicfsError(
    'refused',
    `there is no user ${user}: useradd --system ${user}, or leave --user out`,
  );
}

/** Runs a program as that user. */
export function runAs({ uid, gid }: Account, program: string, args: readonly string[]): Promise<ProgramEnd> {
  if (uid === 0) return runProgram(program, args, lookMs);
  const identity = ['--reuid', String(uid), '--regid', String(gid), '--init-groups'];
  return runProgram('setpriv', [...identity, '--', program, ...args], lookMs);
}

/** Throws `refused` when the service could not run this tree: out of reach, or without a Node that can run it. */
export async function checkProgram(account: Account, programFolder: string): Promise<void> {
  await checkReach(account, programFolder, 'move this tree to /opt, say, or');
  const { code, said } = await runAs(account, path.join(programFolder, 'musicfs'), ['--version']);
  if (code === 0) return;
  throw new MusicfsError(
    'refused',
    `the user ${account.user} cannot run this tree: ${said.replace(/^musicfs: /, '')}`,
  );
}

/** Throws `refused` with the line that lets the user in. */
export async function checkOrigin(account: Account, root: string): Promise<void> {
  await checkReach(account, root, '');
  const { code, stdout } = await runAs(account, 'find', [
    root,
    '-maxdepth',
    '2',
    '!',
    '-readable',
    '-print',
    '-quit',
  ]);
  const first = stdout.split('\n')[0] ?? '';
  if (code === 0 && first === '') return;
  const { user } = account;
  const { gid, mode } = statSync(root);
  const mayGroup = (mode & groupReads) === groupReads && gid !== 0;
  const cure = mayGroup ? await joinGroup(user, gid) : `setfacl -R -m u:${user}:rX ${quoted(root)}`;
  throw new MusicfsError('refused', `the user ${user} cannot read ${first || root}: ${cure}`);
}

/** Throws `refused` when a folder above is closed to the user, or the place does not exist. */
async function checkReach(account: Account, place: string, otherwise: string): Promise<void> {
  for (const folder of [...ancestorsOf(place), place]) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found === undefined) throw new MusicfsError('refused', `${folder} does not exist`);
    if ((await runAs(account, 'test', ['-x', folder])).code === 0) continue;
    const { user } = account;
    const mayGroup = (found.mode & groupPasses) === groupPasses && found.gid !== 0 && found.uid !== 0;
    const cure = mayGroup ? await joinGroup(user, found.gid) : `setfacl -m u:${user}:x ${quoted(folder)}`;
    throw new MusicfsError(
      'refused',
      `the user ${user} cannot reach ${place}, as ${folder} is closed to others: ${[otherwise, cure].join(' ').trim()}`,
    );
  }
}

const groupReads = 0o050;
const groupPasses = 0o010;

function ancestorsOf(place: string): string[] {
  const parent = path.dirname(place);
  return parent === place ? [] : [...ancestorsOf(parent), parent];
}

async function joinGroup(user: string, gid: number): Promise<string> {
  const { stdout } = await runProgram('getent', ['group', String(gid)]);
  return `usermod -aG ${stdout.split(':')[0] || gid} ${user}`;
}

/** For a person to paste into a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
