import { describe, expect, it } from 'vitest';
import { isExcluded } from '../../../src/activities/restore/carry-over.ts';

describe('what is carried over', () => {
  it('is what is excluded from backups, and with a database its logs', () => {
    const exclude = ['workspace/big/**', '.openclaw/*.sqlite'];
    const carried = ['workspace/big/a', '.openclaw/x.sqlite', '.openclaw/x.sqlite-wal', '.openclaw/x.sqlite-journal'];
    const left = ['workspace/small', '.openclaw/x.db-wal', '.openclaw/x.sqlite-old'];
    expect(carried.filter((path) => !isExcluded(Buffer.from(path), exclude))).toEqual([]);
    expect(left.filter((path) => isExcluded(Buffer.from(path), exclude))).toEqual([]);
  });
});
