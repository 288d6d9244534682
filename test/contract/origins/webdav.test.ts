// WebDAV origins on real servers keep the contract of every origin: rclone's server with Basic, Apache's with Digest.
import { afterAll, beforeAll } from 'vitest';
import { startApache, startRclone, type WebdavServer } from '../../fixtures/servers/webdav-servers.ts';
import { webdavHarness } from '../../fixtures/webdav-harness.ts';
import { originContract } from './origin-contract.ts';

let rclone: WebdavServer;
let apache: WebdavServer;

beforeAll(async () => {
  [rclone, apache] = await Promise.all([startRclone(), startApache({ auth: 'Digest' })]);
});

afterAll(async () => {
  await Promise.all([rclone?.end(), apache?.end()]);
});

originContract('a folder served by rclone', () => webdavHarness(rclone), [
  ...(['links', 'special-files', 'permissions', 'names-not-utf8'] as const), // what the server does not show
]);

originContract('a folder served by Apache', () => webdavHarness(apache), [
  ...(['links', 'special-files'] as const),
]);
