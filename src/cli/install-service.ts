// musicfs install-service, uninstall-service: a library as a service of systemd. Needs no daemon.
import type { Command } from 'commander';
import { printReport } from './print.ts';
import { serviceNamed, serviceUser } from './service-files.ts';
import { type Installation, installService, uninstallService } from './service-installer.ts';

interface InstallArguments {
  readonly config?: string;
  readonly origin?: readonly string[];
  readonly mountPoint?: string;
  readonly passthrough?: boolean;
  readonly user: string;
  readonly start: boolean;
  readonly json?: boolean;
}

export function registerInstallService(program: Command): void {
  program
    .command('install-service')
    .argument('[name]', 'of the service, where there are several')
    .description('run a library as a service of systemd, as root; again after any change')
    .option('--config <file>', 'its configuration (default: /etc/musicfs/NAME.toml)')
    .option('--origin <dir...>', 'write that configuration: directories with music')
    .option('--mount-point <dir>', 'and where to show them')
    .option('--passthrough', 'let the kernel read files itself, which needs CAP_SYS_ADMIN')
    .option('--user <name>', 'whom it runs as', serviceUser)
    .option('--no-start', 'only install and enable')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, given: InstallArguments) => {
      const { origin, passthrough, json, ...others } = given;
      const options = { ...others, origins: origin ?? [], passthrough: passthrough === true };
      printReport(await installService(name, options), json, describe);
    });
}

export function registerUninstallService(program: Command): void {
  program
    .command('uninstall-service')
    .argument('[name]', 'of the service, where there are several')
    .description('stop and remove a service; its configuration and its state stay')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, { json }: { json?: boolean }) => {
      const service = serviceNamed(name);
      const changed = await uninstallService(name);
      const kept = [service.configFile, `/var/lib/musicfs/${service.name}`];
      printReport({ unit: service.unit, changed, kept }, json, () =>
        [...changed, `kept: ${kept.join(', ')}`].join('\n'),
      );
    });
}

function describe({ unit, mountPoint, state, changed }: Installation): string {
  const news = changed.length === 0 ? ['nothing changed: all is as it should be'] : changed;
  return [...news, `${unit} is ${state}, mount point ${mountPoint}`].join('\n');
}
