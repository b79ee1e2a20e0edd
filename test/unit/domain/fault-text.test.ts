import { describe, expect, it } from 'vitest';
import { faultText, oneFaultText } from '../../../src/domain/fault-text.ts';

const fault = { bundle: '20261122T031500Z-00000001', object: 'segment', what: 'damaged', store: 'primary' };

describe('what is wrong with a bundle', () => {
  it('is told by segment, component and store', () => {
    expect(oneFaultText({ ...fault, segment: 's-0003', component: 'transcripts' })).toBe(
      'segment s-0003 (transcripts) is damaged in primary',
    );
    expect(oneFaultText({ ...fault, object: 'index', segment: 's-0003' })).toBe(
      'index of segment s-0003 (unknown) is damaged in primary',
    );
    expect(oneFaultText({ ...fault, object: 'manifest', what: 'missing' })).toBe('the manifest is missing in primary');
  });

  it('is counted past ten', () => {
    const faults = Array.from({ length: 12 }, () => fault);
    expect(faultText(faults.slice(0, 2))).toBe('the segment is damaged in primary; the segment is damaged in primary');
    expect(faultText(faults)).toMatch(/; and 2 more$/);
    expect(faultText(faults.slice(0, 10))).not.toContain('more');
  });
});
