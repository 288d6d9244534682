// The in-memory fake keeps the contract of every origin.
import { MemoryOrigin, MemoryPlace } from '../../fixtures/memory-origin.ts';
import { type OriginHarness, originContract } from './origin-contract.ts';

originContract('an origin in memory', async (): Promise<OriginHarness> => {
  const place = new MemoryPlace();
  const origin = new MemoryOrigin(place);
  return {
    origin,
    put: async (path, bytes, mtimeSeconds) => {
      place.put(path, bytes, mtimeSeconds === undefined ? undefined : `${mtimeSeconds}000000000`);
    },
    remove: async (path) => place.remove(path),
    putSparse: async (path, size, offset, bytes) => place.putSparse(path, size, offset, bytes),
    makeDirectory: async (path) => place.makeThing(path, 'directory'),
    makeLink: async (path) => place.makeThing(path, 'link'),
    makeSpecial: async (path) => place.makeThing(path, 'other'),
    forbid: async (path) => place.forbid(path),
    cut: async () => place.failWith('origin_unavailable'),
    mend: async () => place.failWith(undefined),
    restart: async () => undefined,
    hang: async () => place.hang(),
    goOn: async () => place.goOn(),
    transfers: () => place.transfers,
    requests: () => place.requests,
    end: () => origin.close(),
  };
});
