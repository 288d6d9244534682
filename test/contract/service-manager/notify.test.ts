// What a service manager receives, with a socket of its own kind at the other end.
import { closeSync, fstatSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { connectServiceManager, type ServiceManager } from '../../../src/platform/service-manager.ts';
import { NotifyReceiver } from '../../fixtures/notify-receiver.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

function connected(socket: string, env: Record<string, string> = {}): ServiceManager {
  const manager = connectServiceManager({ ...env, NOTIFY_SOCKET: socket });
  if (manager === null) throw new Error('not connected');
  return manager;
}

function openedFile(): { fd: number; inode: number } {
  const file = path.join(temporaryDirectory(), 'file');
  writeFileSync(file, 'x');
  const fd = openSync(file, 'r');
  onTestFinished(() => closeSync(fd));
  return { fd, inode: fstatSync(fd).ino };
}

it('R-10: a message arrives at a path, its fields one a line and in order', () => {
  const socket = path.join(temporaryDirectory(), 'notify');
  const receiver = new NotifyReceiver(socket);
  connected(socket).notify({ RELOADING: 1, MONOTONIC_USEC: 123_456, STATUS: 'READY, 5 tracks' });
  expect(receiver.receive()).toEqual({
    text: 'RELOADING=1\nMONOTONIC_USEC=123456\nSTATUS=READY, 5 tracks',
    inodes: [],
  });
  expect(receiver.receive()).toBeNull();
});

it('R-10: a message arrives at an abstract name', () => {
  const socket = `@musicfs-test/${process.pid}/${Math.random()}`;
  const receiver = new NotifyReceiver(socket);
  connected(socket).notify({ READY: 1 });
  expect(receiver.receive()?.text).toBe('READY=1');
});

it('R-10: descriptors travel with the message, and stay open here', () => {
  const socket = path.join(temporaryDirectory(), 'notify');
  const receiver = new NotifyReceiver(socket);
  const manager = connected(socket);
  for (const count of [1, 2, 3]) {
    const files = Array.from({ length: count }, openedFile);
    const fds = files.map(({ fd }) => fd);
    manager.notify({ FDSTORE: 1, FDNAME: 'musicfs-fuse' }, fds);
    expect(receiver.receive()).toEqual({
      text: 'FDSTORE=1\nFDNAME=musicfs-fuse',
      inodes: files.map(({ inode }) => inode),
    });
    for (const { fd, inode } of files) expect(fstatSync(fd).ino).toBe(inode);
  }
});

it('R-10: what a field holds never becomes a field of its own, nor a message that is dropped as too long', () => {
  const socket = path.join(temporaryDirectory(), 'notify');
  const receiver = new NotifyReceiver(socket);
  connected(socket).notify({ STATUS: `a\nSTOPPING=1\0\r\t${'ü'.repeat(5000)}`, READY: 1 });
  const text = receiver.receive()?.text ?? '';
  expect(text.split('\n').map((line) => line.slice(0, 22))).toEqual(['STATUS=a STOPPING=1 üü', 'READY=1']);
  expect(text).not.toContain('\0');
  expect(Buffer.byteLength(text)).toBeLessThan(1100);
});

it('R-10: a manager that is gone costs a notification, which is counted', () => {
  const socket = path.join(temporaryDirectory(), 'notify');
  const receiver = new NotifyReceiver(socket);
  const manager = connected(socket);
  manager.notify({ READY: 1 });
  expect(manager.lostNotifications).toBe(0);
  receiver.close();
  manager.notify({ WATCHDOG: 1 });
  unlinkSync(socket);
  manager.notify({ WATCHDOG: 1 });
  expect(manager.lostNotifications).toBe(2);
  const next = new NotifyReceiver(socket);
  manager.notify({ WATCHDOG: 1 });
  expect(next.receive()?.text).toBe('WATCHDOG=1');
});

it('R-10: a manager that does not read holds nobody up', () => {
  const socket = path.join(temporaryDirectory(), 'notify');
  const receiver = new NotifyReceiver(socket);
  const manager = connected(socket);
  // Far more than any queue of datagrams holds.
  for (let count = 0; count < 5000; count += 1) manager.notify({ WATCHDOG: 1 });
  expect(manager.lostNotifications).toBeGreaterThan(0);
  expect(receiver.receive()?.text).toBe('WATCHDOG=1');
});

it('R-10: without a manager, or with an address of another kind, there is nobody to tell', () => {
  expect(connectServiceManager({})).toBeNull();
  for (const socket of ['', '@', 'relative/path', 'vsock:2:1234', `/${'x'.repeat(108)}`]) {
    expect(connectServiceManager({ NOTIFY_SOCKET: socket })).toBeNull();
  }
});

it('R-11: the watchdog is known where it is ours', () => {
  const watchdogOf = (env: Record<string, string>) => connected('@nobody', env).watchdogMs;
  expect(watchdogOf({})).toBeNull();
  expect(watchdogOf({ WATCHDOG_USEC: '30000000' })).toBe(30_000);
  expect(watchdogOf({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) })).toBe(30_000);
  expect(watchdogOf({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' })).toBeNull();
  for (const period of ['0', '-5', 'soon', '']) expect(watchdogOf({ WATCHDOG_USEC: period })).toBeNull();
});
