// From names to addresses, with a name server of the test's own.

import type { LookupAddress } from 'node:dns';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { HostResolver, type ResolverOptions } from '../../../src/origins/resolve-host.ts';
import { StubResolver } from '../../chaos/stub-resolver.ts';
import { codeOfCall, unbounded } from '../../fixtures/read-origin.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';
import { SimulatedClock } from '../../unit/supervision/simulated-clock.ts';

async function scene(options: ResolverOptions = {}) {
  const stub = await StubResolver.start();
  onTestFinished(() => stub.end());
  const clock = new SimulatedClock();
  const resolver = new HostResolver({ servers: [stub.server], timeLimitMs: 400, clock, ...options });
  const addresses = async (host: string, signal = unbounded()) =>
    (await resolver.resolve(host, signal)).map(({ address }) => address);
  return { stub, clock, resolver, addresses };
}

function fileWith(text: string): string {
  const file = path.join(temporaryDirectory(), 'file');
  writeFileSync(file, text);
  return file;
}

test('an address is itself, localhost and what the hosts file has need no server', async () => {
  const hostsFile = fileWith('# comment\n::1 nas\n192.0.2.7\tNAS.lan nas # trailing\n');
  const { stub, addresses } = await scene({ hostsFile });
  expect(await addresses('192.0.2.1')).toEqual(['192.0.2.1']);
  expect(await addresses('[::1]')).toEqual(['::1']);
  expect(await addresses('nas')).toEqual(['192.0.2.7', '::1']);
  expect(await addresses('nas.LAN')).toEqual(['192.0.2.7']);
  expect(await addresses('localhost')).toEqual(['127.0.0.1']);
  expect(stub.questions).toBe(0);
});

test('a name is asked for each time, so that a new address is seen at once', async () => {
  const { stub, addresses } = await scene();
  stub.set('nas.test', '192.0.2.1');
  expect(await addresses('nas.test')).toEqual(['192.0.2.1']);
  stub.set('nas.test', '192.0.2.2');
  expect(await addresses('nas.test')).toEqual(['192.0.2.2']);
});

test('a name without a dot is looked for in the domains of resolv.conf first', async () => {
  const resolvConf = fileWith('nameserver 192.0.2.53\nsearch one.test two.test\n');
  const { stub, addresses } = await scene({ resolvConf });
  stub.set('nas.two.test', '192.0.2.2');
  expect(await addresses('nas')).toEqual(['192.0.2.2']);
  stub.set('bare', '192.0.2.3');
  expect(await addresses('bare')).toEqual(['192.0.2.3']);
});

test('R-25: the last good address is used for 60 s while the servers fail, whatever way they fail', async () => {
  for (const failure of ['SERVFAIL', 'NXDOMAIN', 'silence'] as const) {
    const { stub, clock, addresses, resolver } = await scene();
    stub.set('nas.test', '192.0.2.1');
    await addresses('nas.test');
    stub.set('nas.test', failure);
    expect(await addresses('nas.test')).toEqual(['192.0.2.1']);
    expect(await codeOfCall(resolver.resolveNow('nas.test', unbounded()))).toBe('name_resolution');
    await clock.advance(60_000);
    expect(await addresses('nas.test')).toEqual(['192.0.2.1']);
    await clock.advance(1);
    expect(await codeOfCall(addresses('nas.test'))).toBe('name_resolution');
    stub.set('nas.test', '192.0.2.9');
    expect(await addresses('nas.test')).toEqual(['192.0.2.9']);
  }
});

test('R-25: after a failure the old address is given at once for 5 s, then the servers are asked again', async () => {
  const { stub, clock, addresses } = await scene();
  stub.set('nas.test', '192.0.2.1');
  await addresses('nas.test');
  stub.set('nas.test', 'SERVFAIL');
  await addresses('nas.test');
  const asked = stub.questions;
  await addresses('nas.test');
  expect(stub.questions).toBe(asked);
  stub.set('nas.test', '192.0.2.2');
  await clock.advance(5_000);
  expect(await addresses('nas.test')).toEqual(['192.0.2.2']);
});

test('a silent server is waited for up to the limit, and not beyond an abort', async () => {
  const { stub, addresses } = await scene();
  stub.set('nas.test', 'silence');
  const startedMs = performance.now();
  expect(await codeOfCall(addresses('nas.test'))).toBe('name_resolution');
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  const slow = new HostResolver({ servers: [stub.server], timeLimitMs: 60_000 });
  const againMs = performance.now();
  expect(await codeOfCall(slow.resolve('nas.test', AbortSignal.timeout(100)))).toBe('deadline_exceeded');
  expect(performance.now() - againMs).toBeLessThan(1_000);
});

test('it answers as net.connect asks: one address or all, of one family or any', async () => {
  const { resolver } = await scene({ hostsFile: fileWith('192.0.2.7 nas\n::1 nas\n') });
  const looked = (options: object) =>
    new Promise<unknown>((resolve) => {
      resolver.lookup('nas', options, (error, address: string | LookupAddress[]) =>
        resolve(error ?? address),
      );
    });
  expect(await looked({})).toBe('192.0.2.7');
  expect(await looked({ family: 6 })).toBe('::1');
  expect(await looked({ all: true })).toHaveLength(2);
  expect(await looked({ all: true, family: 4 })).toEqual([{ address: '192.0.2.7', family: 4 }]);
});
