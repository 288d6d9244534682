import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { createSocketPair, makeNonBlocking, receiveDescriptor } from '../../../src/platform/native-mount.ts';

function flagsOf(fd: number): number {
  return Number.parseInt(
    /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '',
    8,
  );
}

function socketPair(): readonly [number, number] {
  const pair = createSocketPair();
  onTestFinished(() => {
    for (const fd of pair) closeSync(fd);
  });
  return pair;
}

// That a descriptor does arrive is shown by every mount of an ordinary user.
it('a socket on which no descriptor waits gives none, at once', () => {
  const [ours, theirs] = socketPair();
  expect(receiveDescriptor(ours)).toBeNull();
  writeSync(theirs, 'x');
  expect(receiveDescriptor(ours)).toBeNull();
});

it('a socket pair is closed on exec', () => {
  for (const fd of socketPair()) expect(flagsOf(fd) & 0o2000000).toBe(0o2000000);
});

it('a descriptor becomes non-blocking and keeps its other flags', () => {
  const fd = openSync('/dev/null', 'a');
  onTestFinished(() => closeSync(fd));
  const before = flagsOf(fd);
  makeNonBlocking(fd);
  expect(flagsOf(fd)).toBe(before | 0o4000);
});

it('what is no descriptor is a system error', () => {
  expect(() => makeNonBlocking(1_000_000)).toThrow(/EBADF: fcntl/);
  expect(() => receiveDescriptor(1_000_000)).toThrow(/EBADF: recvmsg/);
});
