// The search attribute that says how a run ended, for who looks through many.

import { isCancellation, upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributes } from '../contract/names.ts';

/** The work's answer, its verdict noted; when it throws, `failed` or `cancelled` is noted and the same is thrown. */
export async function withVerdict<T>(work: () => Promise<T>, verdictOf: (answer: T) => string): Promise<T> {
  try {
    const answer = await work();
    note(verdictOf(answer));
    return answer;
  } catch (error) {
    note(isCancellation(error) ? 'cancelled' : 'failed');
    throw error;
  }
}

function note(value: string): void {
  upsertSearchAttributes([{ key: searchAttributes.verdict, value }]);
}
