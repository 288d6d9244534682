import { describe, expect, it } from 'vitest';
import { type ControlClient, connect } from '../../../src/control/client.ts';
import { DaemonUnreachable } from '../../../src/control/client-errors.ts';
import type { ScanProgress } from '../../../src/control/daemon-port.ts';
import { MusicfsError } from '../../../src/platform/errors.ts';
import {
  createFakeDaemon,
  type FakeDaemon,
  progress,
  sampleStatus,
  sampleTree,
  serve,
} from './fake-daemon.ts';

async function withClient(
  fake: FakeDaemon,
  work: (client: ControlClient, socketPath: string) => Promise<void>,
  timeoutMs?: number,
): Promise<void> {
  await using control = await serve(fake.port);
  const client = connect(control.socketPath, timeoutMs === undefined ? {} : { timeoutMs });
  try {
    await work(client, control.socketPath);
  } finally {
    client.close();
  }
}

describe('System', () => {
  it('gives the status back as the daemon reported it, zeros and large numbers included', async () => {
    await withClient(createFakeDaemon(), async (client) => {
      expect(await client.status()).toEqual(sampleStatus);
    });
  });

  it('leaves out what is absent instead of making it zero', async () => {
    const fake = createFakeDaemon();
    const { phase: _phase, ...scan } = sampleStatus.scan;
    fake.report = { ...sampleStatus, scan };
    await withClient(fake, async (client) => {
      expect(Object.keys((await client.status()).scan)).not.toContain('phase');
      expect(Object.keys((await client.status()).scan)).not.toContain('etaSeconds');
    });
  });

  it('gives the supervision tree back as the daemon reported it', async () => {
    await withClient(createFakeDaemon(), async (client) => {
      expect(await client.supervision()).toEqual(sampleTree);
    });
  });

  it('passes the way of shutting down on', async () => {
    const fake = createFakeDaemon();
    await withClient(fake, async (client) => {
      await client.shutdown('fast');
      await client.shutdown('drain');
      expect(fake.shutdowns).toEqual(['fast', 'drain']);
    });
  });
});

describe('Origin', () => {
  it('streams the progress of a scan to its end', async () => {
    const fake = createFakeDaemon();
    await withClient(fake, async (client) => {
      const parts: ScanProgress[] = [];
      for await (const part of client.rescan({ originId: 'local', detached: false })) parts.push(part);
      expect(parts.map(({ phase }) => phase)).toEqual(['listing', 'parsing', 'done']);
      expect(parts[1]).toEqual(
        progress({
          phase: 'parsing',
          done: 1,
          total: 2,
          filesPerSecond: 10,
          etaSeconds: 0.1,
          currentPath: 'a.flac',
        }),
      );
      expect(fake.rescans).toEqual([{ originId: 'local', detached: false, full: false }]);
    });
  });

  it('ends the stream of a detached scan after its first message', async () => {
    const fake = createFakeDaemon();
    await withClient(fake, async (client) => {
      const parts: ScanProgress[] = [];
      for await (const part of client.rescan({ detached: true, full: true })) parts.push(part);
      expect(parts).toHaveLength(1);
      expect(fake.rescans).toEqual([{ detached: true, full: true }]);
    });
  });

  it('aborts the scan when the client goes away', async () => {
    const fake = createFakeDaemon();
    const { aborted } = watchAbort(fake);
    await withClient(fake, async (client) => {
      for await (const _part of client.rescan({ detached: false })) break;
      expect(await aborted).toMatchObject({ code: 'cancelled' });
    });
  });

  it('aborts the scan when the deadline of the call passes', async () => {
    const fake = createFakeDaemon();
    const { aborted } = watchAbort(fake);
    await withClient(
      fake,
      async (client) => {
        const drained = async () => {
          for await (const _part of client.rescan({ detached: false }));
        };
        await expect(drained()).rejects.toMatchObject({ code: 'deadline_exceeded' });
        await aborted;
      },
      200,
    );
  });

  it('holds the scan back while the client does not read', async () => {
    const fake = createFakeDaemon();
    let made = 0;
    fake.scan = async function* () {
      for (; made < 100_000; made++) yield progress({ currentPath: 'x'.repeat(1_000) });
    };
    await withClient(fake, async (client) => {
      const iterator = client.rescan({ detached: false })[Symbol.asyncIterator]();
      await iterator.next();
      let before = -1;
      while (made !== before) {
        before = made;
        await client.status(); // a round trip through the same server
        await client.status();
      }
      expect(made).toBeLessThan(10_000);
      await iterator.return?.();
    });
  });

  it('says whether there was a scan to cancel', async () => {
    await withClient(createFakeDaemon(), async (client) => {
      expect(await client.cancelScan()).toBe(true);
      expect(await client.cancelScan('idle')).toBe(false);
    });
  });
});

describe('Debug', () => {
  it('is not there without failpoints', async () => {
    await withClient(createFakeDaemon(), async (client) => {
      await expect(client.listFailpoints()).rejects.toMatchObject({ code: 'unsupported_operation' });
      await expect(client.setFailpoint('parser.file=crash')).rejects.toMatchObject({
        code: 'unsupported_operation',
      });
      await expect(client.clearFailpoints()).rejects.toMatchObject({ code: 'unsupported_operation' });
    });
  });

  it('lists, sets and clears failpoints', async () => {
    await withClient(createFakeDaemon({ failpoints: true }), async (client) => {
      await client.setFailpoint('actor.indexer.handle=crash;count=2');
      expect(await client.listFailpoints()).toEqual([
        { name: 'actor.indexer.handle', action: 'crash', hits: 0 },
      ]);
      await client.clearFailpoints();
      expect(await client.listFailpoints()).toEqual([]);
    });
  });

  it('says what is wrong about a failpoint', async () => {
    await withClient(createFakeDaemon({ failpoints: true }), async (client) => {
      await expect(client.setFailpoint('no.such=crash')).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringContaining('unknown name'),
      });
    });
  });
});

describe('errors', () => {
  it('arrive with the code and text they were thrown with', async () => {
    await withClient(createFakeDaemon(), async (client) => {
      const drained = async () => {
        for await (const _part of client.rescan({ originId: 'nowhere', detached: false }));
      };
      await expect(drained()).rejects.toMatchObject({
        code: 'not_found',
        message: 'no origin nowhere: musicfs status lists them',
      });
    });
  });

  it('keep their code where several share one gRPC status', async () => {
    const fake = createFakeDaemon();
    for (const code of ['refused', 'already_exists', 'origin_unavailable'] as const) {
      // biome-ignore lint/correctness/useYield: it fails before its first step
      fake.scan = async function* () {
        throw new MusicfsError(code, 'as it is');
      };
      await withClient(fake, async (client) => {
        const failed = client.rescan({ detached: false })[Symbol.asyncIterator]().next();
        const error: unknown = await failed.catch((caught: unknown) => caught);
        expect(error).toMatchObject({ code, message: 'as it is' });
        expect(error).not.toBeInstanceOf(DaemonUnreachable);
      });
    }
  });

  it('of bugs come without their text', async () => {
    const fake = createFakeDaemon();
    Object.assign(fake.port, {
      status() {
        throw new TypeError('secret detail');
      },
    });
    await withClient(fake, async (client) => {
      const error: unknown = await client.status().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'internal' });
      expect(String(error)).not.toContain('secret detail');
    });
  });

  it('tell a daemon that is not there from one that refuses', async () => {
    const client = connect('/nonexistent/control.sock');
    await expect(client.status()).rejects.toBeInstanceOf(DaemonUnreachable);
    client.close();
  });
});

/** A scan that never ends by itself; resolves with the reason it was aborted for. */
function watchAbort(fake: FakeDaemon): { aborted: Promise<unknown> } {
  const { promise: aborted, resolve } = Promise.withResolvers<unknown>();
  fake.scan = async function* (_request, signal) {
    yield progress();
    await new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        resolve(signal.reason);
        reject(signal.reason as Error);
      });
    });
  };
  return { aborted };
}
