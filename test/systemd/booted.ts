// A machine with systemd as its first process, for tests of units: Debian in a container that is booted once for a file
// of tests, with this tree in it twice, as two checkouts. Commands run inside it, from outside, with a limit each.
// Nothing of it is left when it is powered off, or when whoever started it dies.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '../fixtures/eventually.ts';
import { type ChildResult, endOf } from '../fixtures/limited-child.ts';
import { childrenOf } from '../fixtures/processes.ts';
import { ensureImage } from './image.ts';

const ownTree = path.resolve(import.meta.dirname, '../..');

/** Where the checkouts lie inside. */
export const trees = { first: '/opt/musicfs', next: '/opt/musicfs-next' } as const;

const bootMs = 30_000;
const powerOffMs = 15_000;
const commandMs = 20_000;

export class Machine {
  /** A folder outside that is /srv inside. */
  readonly srv: string;
  private readonly folder: string;
  private readonly container: ChildProcess;
  private readonly ended: Promise<void>;
  private said = '';
  private init = 0;

  private constructor(image: string) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'musicfs-machine-'));
    this.srv = path.join(this.folder, 'srv');
    mkdirSync(this.srv);
    this.container = spawn(
      'setpriv',
      [
        ...[
          '--pdeathsig',
          'KILL',
          '--',
          'systemd-nspawn',
          '--quiet',
          '--register=no',
          '--keep-unit',
          '--boot',
        ],
        ...[
          '--directory',
          image,
          '--volatile=overlay',
          '--machine',
          path.basename(this.folder).toLowerCase(),
        ],
        ...['--capability=all', '--bind=/dev/fuse', '--console=pipe', '--link-journal=no'],
        ...Object.values(trees).map((tree) => `--bind-ro=${ownTree}:${tree}`),
        // A checkout may share its packages with others.
        ...Object.values(trees).map((tree) => `--bind-ro=${modules()}:${tree}/node_modules`),
        `--bind=${this.srv}:/srv`,
      ],
      { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] },
    );
    for (const stream of [this.container.stdout, this.container.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.said = (this.said + text).slice(-10_000);
      });
    }
    this.ended = new Promise((resolve) => {
      this.container.once('error', () => resolve());
      this.container.once('close', () => resolve());
    });
  }

  /** Resolves when all that starts with the machine has started. */
  static async boot(): Promise<Machine> {
    const machine = new Machine(ensureImage());
    try {
      await machine.untilBooted();
    } catch (error) {
      await machine.remove();
      throw new Error(`no machine: ${machine.said}`, { cause: error });
    }
    return machine;
  }

  /** Runs a command inside, as root, to its end. */
  run(words: readonly string[], limitMs = commandMs): Promise<ChildResult> {
    return endOf(this.start(words), words.join(' '), { limitMs });
  }

  /** Output of a command inside; fails the test unless it ends with 0. */
  async must(words: readonly string[], limitMs = commandMs): Promise<string> {
    const { code, stdout, stderr } = await this.run(words, limitMs);
    if (code !== 0) throw new Error(`ended with ${code}: ${words.join(' ')}\n${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  /** Writes a file inside. */
  async write(file: string, text: string): Promise<void> {
    const child = this.start(['tee', file]);
    child.stdin?.end(text);
    const { code, stderr } = await endOf(child, `writing ${file}`);
    if (code !== 0) throw new Error(stderr);
  }

  /** Starts a command inside; it ends with the machine at the latest. */
  start(words: readonly string[]): ChildProcess {
    const spaces = ['--mount', '--uts', '--ipc', '--net', '--pid'];
    return spawn('nsenter', ['--target', String(this.init), ...spaces, '--', ...words], {
      cwd: '/',
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Starts a program of test/fixtures/programs inside. */
  startProgram(name: string, args: readonly string[]): ChildProcess {
    const file = path.join(trees.first, 'test/fixtures/programs', `${name}.ts`);
    const node = path.join(trees.first, 'node_modules/.bin/node');
    return this.start([node, '--disable-warning=ExperimentalWarning', file, ...args]);
  }

  /**
   * An orderly end, or the hard one where that takes too long. May be called twice. What is in /srv stays. Commands that
   * still run inside hold it up: its first process waits for them, and is not told of their end.
   */
  async powerOff(): Promise<void> {
    const hard = setTimeout(() => this.kill(), powerOffMs);
    this.container.kill('SIGTERM'); // systemd-nspawn has its first process power off
    await this.ended;
    clearTimeout(hard);
  }

  /** The first process outlives the program that made the container. */
  private kill(): void {
    if (childrenOf(this.container.pid ?? 0).includes(this.init)) process.kill(this.init, 'SIGKILL');
    this.container.kill('SIGKILL');
  }

  async remove(): Promise<void> {
    await this.powerOff();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async untilBooted(): Promise<void> {
    let hasEnded = false;
    void this.ended.then(() => {
      hasEnded = true;
    });
    const booted = async (): Promise<boolean> => {
      if (hasEnded) return true;
      this.init = childrenOf(this.container.pid ?? 0)[0] ?? 0;
      if (this.init === 0) return false;
      const { stdout } = await this.run(['systemctl', 'is-system-running'], 5000);
      return stdout.trim() === 'running';
    };
    await eventually('a booted machine', booted, bootMs);
    if (hasEnded) throw new Error('it ended while it booted');
  }
}

function modules(): string {
  return realpathSync(path.join(ownTree, 'node_modules'));
}
