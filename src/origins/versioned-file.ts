// One file of which a range is read: opened when it is first needed, and anew after the system took the handle back. What
// is read is compared with the version it is for, when the file is opened and after its last bytes.
import { MusicfsError } from '../platform/errors.ts';
import { preadAsync } from '../platform/native.ts';
import { checkVersion, closeSoon, factsOf } from './file-facts.ts';
import { orThrow } from './file-failures.ts';
import type { FileVersion } from './origin.ts';

const interrupted = 4; // EINTR

export class VersionedFile {
  private readonly openIt: () => Promise<number>;
  private readonly version: FileVersion;
  private fd: number | null = null;

  constructor(openIt: () => Promise<number>, version: FileVersion) {
    this.openIt = openIt;
    this.version = version;
  }

  /**
   * Exactly so many bytes, in a buffer of their own; those before `end` only when the file is the same after them. One
   * call at a time.
   */
  async read(offset: number, lengthBytes: number, end: number): Promise<Uint8Array> {
    try {
      this.fd ??= await this.openIt();
      const block = Buffer.allocUnsafeSlow(lengthBytes);
      for (let done = 0; done < lengthBytes; ) {
        const got = await preadAsync(this.fd, block.subarray(done), lengthBytes - done, offset + done);
        if (got === -interrupted) continue;
        if (got === 0) throw await this.cutShort(this.fd);
        done += orThrow(got, 'pread');
      }
      if (offset + lengthBytes >= end) checkVersion(await factsOf(this.fd), this.version);
      return block;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    if (this.fd !== null) closeSoon(this.fd);
    this.fd = null;
  }

  private async cutShort(fd: number): Promise<Error> {
    checkVersion(await factsOf(fd), this.version);
    return new MusicfsError('origin_unavailable', 'fewer bytes than the file has by its size');
  }
}
