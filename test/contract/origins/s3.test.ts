// S3 origins on real servers keep the contract of every origin.
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { s3Hand, s3Harness } from '../../fixtures/s3-harness.ts';
import {
  type S3Server,
  startS3rver,
  startVersitygw,
  versitygwProgram,
} from '../../fixtures/servers/s3-servers.ts';
import { type OriginGap, originContract } from './origin-contract.ts';

/** An object store knows none of these, and its times are its own. */
const gaps: readonly OriginGap[] = [
  ...(['links', 'special-files', 'permissions', 'names-not-utf8', 'empty-directories', 'set-mtime'] as const),
];

function runOn(name: string, start: () => Promise<S3Server>): void {
  let server: S3Server;
  let hand: S3Client;
  beforeAll(async () => {
    server = await start();
    hand = await s3Hand(server);
  });
  afterAll(async () => {
    hand?.destroy();
    await server?.end();
  });
  originContract(name, () => s3Harness(server, hand), gaps);
}

runOn('a bucket on s3rver', startS3rver);

const versitygw = versitygwProgram();
if (versitygw !== undefined) runOn('a bucket on versitygw', () => startVersitygw(versitygw));
