// One service on a booted machine, as tests look at it: through systemctl, the kernel's tables and its own status.
import { eventually } from '../fixtures/eventually.ts';
import { type Machine, trees } from './booted.ts';

export const musicfs = `${trees.first}/bin/musicfs`;

export class ServiceUnderTest {
  readonly name: string;
  readonly unit: string;
  readonly mountPoint: string;
  private readonly machine: Machine;

  constructor(machine: Machine, name: string) {
    this.machine = machine;
    this.name = name;
    this.unit = `musicfs@${name}.service`;
    this.mountPoint = `/mnt/${name}`;
  }

  /** Installed and started by the command line. Returns what that said. */
  install(origin: string, more: readonly string[] = []): Promise<string> {
    const what = ['--origin', origin, '--mount-point', this.mountPoint, ...more];
    return this.machine.must([musicfs, 'install-service', this.name, ...what], 60_000);
  }

  /** Resolves when it shows that many files, and looks for no more. */
  async hasScanned(files: number): Promise<void> {
    const look = async () => {
      const text = await this.machine.must([musicfs, 'status', this.mountPoint, '--json']);
      const status = JSON.parse(text) as { files: number; scan: { running: boolean } };
      return status.files === files && !status.scan.running;
    };
    await eventually(`${this.unit} shows ${files} files`, look, 30_000);
  }

  systemctl(...words: readonly string[]): Promise<string> {
    const [verb = '', ...others] = words;
    return this.machine.must(['systemctl', verb, ...others, this.unit], 60_000);
  }

  /** A property as systemd shows it. */
  async property(name: string): Promise<string> {
    return this.machine.must(['systemctl', 'show', '--value', '-p', name, this.unit]);
  }

  async mainPid(): Promise<number> {
    return Number(await this.property('MainPID'));
  }

  kill(signal: string): Promise<string> {
    return this.systemctl('kill', '--kill-who=main', `--signal=${signal}`);
  }

  /** Resolves to the process that serves, once one that is not `before` does so. */
  async nextLife(before: number, limitMs = 15_000): Promise<number> {
    const look = async () => {
      if ((await this.property('ActiveState')) !== 'active') return undefined;
      const pid = await this.mainPid();
      return pid !== 0 && pid !== before ? pid : undefined;
    };
    return eventually(`another life of ${this.unit} than ${before}`, look, limitMs);
  }

  async reaches(activeState: string, subState?: string, limitMs = 15_000): Promise<void> {
    const look = async () =>
      (await this.property('ActiveState')) === activeState &&
      (subState === undefined || (await this.property('SubState')) === subState);
    await eventually(`${this.unit} is ${activeState} ${subState ?? ''}`, look, limitMs);
  }

  /** "major:minor" of each mount at its mount point, as the first process of the machine sees them. */
  async mounts(): Promise<string[]> {
    const table = await this.machine.must(['cat', '/proc/1/mountinfo']);
    return table
      .split('\n')
      .map((line) => line.split(' '))
      .filter((fields) => fields[4] === this.mountPoint)
      .map((fields) => fields[2] ?? '');
  }

  async isUnmounted(limitMs = 15_000): Promise<void> {
    await eventually(
      `${this.mountPoint} is not mounted`,
      async () => (await this.mounts()).length === 0,
      limitMs,
    );
  }

  /** Everything that is left of it outside its configuration and its state, one word each. */
  async leftovers(): Promise<string[]> {
    const mounts = (await this.mounts()).map(() => 'mount');
    const inItsGroup = ['sh', '-c', 'grep -ls -- "$0" /proc/[0-9]*/cgroup', this.unit];
    const processes = await this.machine.run(inItsGroup);
    const runtime = await this.machine.run(['test', '-e', `/run/musicfs/${this.name}`]);
    const wal = await this.machine.run(['test', '-s', `/var/lib/musicfs/${this.name}/catalog.db-wal`]);
    const stored = await this.property('NFileDescriptorStore');
    return [
      ...mounts,
      ...(processes.code === 0 ? ['process'] : []),
      ...(runtime.code === 0 ? ['socket'] : []),
      ...(wal.code === 0 ? ['write-ahead log'] : []),
      ...(stored === '0' ? [] : ['descriptor']),
    ];
  }

  /** Settings on top of the unit's, gone at the next start of the machine. */
  async override(lines: readonly string[]): Promise<void> {
    const folder = `/run/systemd/system/${this.unit}.d`;
    await this.machine.must(['mkdir', '-p', folder]);
    await this.machine.write(`${folder}/test.conf`, `${lines.join('\n')}\n`);
    await this.machine.must(['systemctl', 'daemon-reload']);
  }

  async endOverride(): Promise<void> {
    await this.machine.must(['rm', '-r', `/run/systemd/system/${this.unit}.d`]);
    await this.machine.must(['systemctl', 'daemon-reload']);
  }
}
