// The services of musicfs.v1 over a ControlPort: each method picks from the request, asks the port, and turns the
// report into a message. No state, no decisions.
import { MusicfsError } from '../platform/errors.ts';
import type { CallAnswerer } from './answer-calls.ts';
import type { ControlPort, FailpointPort, RescanRequest, SupervisionNode } from './daemon-port.ts';
import type { CacheHandlers } from './generated/musicfs/v1/Cache.ts';
import type { DebugHandlers } from './generated/musicfs/v1/Debug.ts';
import type { LibraryHandlers } from './generated/musicfs/v1/Library.ts';
import type { OriginHandlers } from './generated/musicfs/v1/Origin.ts';
import type { PinHandlers } from './generated/musicfs/v1/Pin.ts';
import type { ScanProgress } from './generated/musicfs/v1/ScanProgress.ts';
import type { SystemHandlers } from './generated/musicfs/v1/System.ts';
import { toActorInfo, toCacheStatsMessage, toScanProgressMessage, toStatusMessage } from './messages.ts';

export function systemService(port: ControlPort, { unary }: CallAnswerer): SystemHandlers {
  return {
    GetStatus: unary(() => toStatusMessage(port.status())),
    GetSupervision: unary(({ path, depth }) =>
      toActorInfo(cutBelow(findNode(port.supervision(), path), depth ?? Number.POSITIVE_INFINITY)),
    ),
    Shutdown: unary(({ mode }) => {
      port.shutdown(mode === 'SHUTDOWN_MODE_FAST' ? 'fast' : 'drain');
      return {};
    }),
    Restart: unary(async ({ program }) => {
      await port.restart(program ?? null);
      return {};
    }),
  };
}

export function originService(port: ControlPort, { unary, stream }: CallAnswerer): OriginHandlers {
  return {
    RescanOrigin: stream(({ originId, detached, full }, signal) =>
      scanMessages(port, { detached, full, ...(originId === undefined ? {} : { originId }) }, signal),
    ),
    CancelScan: unary(async ({ originId }) => ({ cancelled: await port.cancelScan(originId) })),
  };
}

export function cacheService({ cache }: ControlPort, { unary, stream }: CallAnswerer): CacheHandlers {
  return {
    GetCacheStats: unary(async () => toCacheStatsMessage(await cache.stats())),
    ClearCache: unary(({ originId, path, includePinned, dryRun }) =>
      cache.clear({
        includePinned,
        dryRun,
        ...(originId === undefined ? {} : { originId }),
        ...(path === undefined ? {} : { path }),
      }),
    ),
    VerifyCache: stream((request, signal) => cache.verify(request, signal)),
  };
}

export function pinService({ cache }: ControlPort, { unary, stream }: CallAnswerer): PinHandlers {
  return {
    ListPins: unary(async () => ({ pins: [...(await cache.pins())] })),
    AddPin: unary(async ({ path }) => ({ added: await cache.addPin(path) })),
    RemovePin: unary(async ({ path }) => ({ removed: await cache.removePin(path) })),
    Prefetch: stream(({ paths }, signal) => cache.prefetch(paths, signal)),
  };
}

export function libraryService({ library }: ControlPort, { unary, stream }: CallAnswerer): LibraryHandlers {
  return {
    Explain: unary(async ({ path }) => {
      const { holders, rules, tags, ...rest } = await library.explain(path);
      return {
        ...rest,
        holders: [...holders],
        rules: [...rules],
        tags: tags.map(({ field, values }) => ({ field, values: [...values] })),
      };
    }),
    PreviewTemplate: stream(async function* (request, signal) {
      const { examples, collisions, ...rest } = await library.previewTemplate(request, signal);
      yield {
        ...rest,
        examples: [...examples],
        collisions: collisions.map(({ path, realPaths }) => ({ path, realPaths: [...realPaths] })),
      };
    }),
  };
}

export function debugService(failpoints: FailpointPort, { unary }: CallAnswerer): DebugHandlers {
  return {
    ListFailpoints: unary(() => ({ failpoints: failpoints.list().map((one) => ({ ...one })) })),
    SetFailpoint: unary(async ({ setting }) => {
      await failpoints.set(setting);
      return {};
    }),
    ClearFailpoints: unary(async () => {
      await failpoints.clear();
      return {};
    }),
  };
}

async function* scanMessages(
  port: ControlPort,
  request: RescanRequest,
  signal: AbortSignal,
): AsyncIterable<ScanProgress> {
  for await (const progress of port.rescan(request, signal)) {
    yield toScanProgressMessage(progress);
    if (request.detached) return;
  }
}

function findNode(root: SupervisionNode, path: string | undefined): SupervisionNode {
  if (path === undefined) return root;
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.path === path) return node;
    open.push(...node.children);
  }
  throw new MusicfsError('not_found', `no actor ${path} in the supervision tree: musicfs tree shows all`);
}

function cutBelow(node: SupervisionNode, depth: number): SupervisionNode {
  return { ...node, children: depth === 0 ? [] : node.children.map((child) => cutBelow(child, depth - 1)) };
}
