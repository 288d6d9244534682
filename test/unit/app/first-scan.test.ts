import { expect, it } from 'vitest';
import { idleScan } from '../../../src/actors/scan-progress.ts';
import { StatusBoard } from '../../../src/actors/status-board.ts';
import { isFirstScanComplete } from '../../../src/app/control-port.ts';

const row = {
  name: 'local',
  kind: 'local',
  root: '/music',
  files: 3,
  firstScanComplete: true,
  mountPoints: null,
};

it('a first scan is complete when it has ended, as only then readers see all it found', () => {
  const board = new StatusBoard();
  expect(isFirstScanComplete(board)).toBe(false);
  board.originRows = [row];
  board.scan = { ...idleScan, isRunning: true, isFirst: true };
  expect(isFirstScanComplete(board)).toBe(false);
  board.scan = { ...board.scan, isRunning: false };
  expect(isFirstScanComplete(board)).toBe(true);
});

it('a library that is known from before stays complete while it is scanned again', () => {
  const board = new StatusBoard();
  board.originRows = [row];
  board.scan = { ...idleScan, isRunning: true, isFirst: false };
  expect(isFirstScanComplete(board)).toBe(true);
});
