import { expect, it } from 'vitest';
import { sweepOutcome } from '../../../src/cli/commands/sweep.ts';

const result = {
  store: 'near',
  replica: null,
  removedObjects: 2,
  removedBytes: 1_500_000,
  keptObjects: 20,
  lockedObjects: 0,
  lockedUntil: null,
  staleUploads: 1,
  damaged: [],
};

it('a sweep says what it removed, and ends with the status of damage only where a bundle lacks objects', () => {
  expect(sweepOutcome('w', 'lane-1', result)).toEqual({
    json: { workflowId: 'w', lane: 'lane-1', ...result },
    text: 'lane lane-1 in store near: 2 objects removed (1.5 MB), 20 kept, 1 unfinished upload removed',
    exit: 'ok',
  });
  const { text, exit } = sweepOutcome('w', 'lane-1', { ...result, damaged: ['20261122T031500Z-1a2b3c4d'] });
  expect(exit).toBe('damaged');
  expect(text).toContain('\nBUNDLE 20261122T031500Z-1a2b3c4d LACKS OBJECTS');
});

it('a sweep of both copies says what each lost, and which bundle the replica lacks objects of', () => {
  const { replica: _, ...swept } = result;
  const there = { ...swept, store: 'far', removedObjects: 5, damaged: ['20261122T031500Z-1a2b3c4d'] };
  const { text, exit } = sweepOutcome('w', 'lane-1', { ...result, replica: there });
  expect(text).toContain('\nlane lane-1 in store far: 5 objects removed (1.5 MB), 20 kept');
  expect(text).toContain('./clawback replicate lane-1 --bundle 20261122T031500Z-1a2b3c4d, while near has it');
  expect(exit).toBe('damaged');
});
