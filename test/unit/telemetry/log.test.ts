import { ApplicationFailure } from '@temporalio/common';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { createLog, type LogLevel } from '../../../src/telemetry/log.ts';
import type { LogFields } from '../../../src/telemetry/log-fields.ts';

function memoryLog(level?: LogLevel) {
  const lines: string[] = [];
  const log = createLog({
    name: 'test',
    ...(level === undefined ? {} : { level }),
    destination: { write: (line) => void lines.push(line) },
  });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

describe('a log', () => {
  it('writes a JSON line with level, time, name, message and fields', () => {
    const { log, lines, last } = memoryLog();
    log.info('segment stored', { lane: 'lane-1', sizeBytes: 42 });
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(last()).toMatchObject({
      level: 'info',
      name: 'test',
      msg: 'segment stored',
      lane: 'lane-1',
      sizeBytes: 42,
      pid: process.pid,
    });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = memoryLog('warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines).toHaveLength(2);
  });

  it('carries the fields that it was made with', () => {
    const { log, last } = memoryLog();
    log.with({ lane: 'lane-1' }).with({ attempt: 2 }).info('x', { attempt: 3 });
    expect(last()).toMatchObject({ lane: 'lane-1', attempt: 3 });
  });

  it('takes what Temporal hands over: big numbers become numbers, unknown fields go', () => {
    const { log, last } = memoryLog();
    log.write('warn', 'activity failed', {
      attempt: 3n,
      workflowId: 'lane/demo/lane-1',
      input: ['hunter2'],
      sdkComponent: 'core',
    });
    expect(last()).toMatchObject({ attempt: 3, workflowId: 'lane/demo/lane-1' });
    expect(last()).not.toHaveProperty('input');
  });
});

describe('secrets', () => {
  it('cannot be passed: the compiler refuses such a field, and it is dropped at run time', () => {
    const { log, lines } = memoryLog();
    // @ts-expect-error there is no such field
    log.info('login', { password: 'hunter2' });
    const spread = { lane: 'lane-1', token: 'hunter2' };
    log.info('login', { ...spread });
    const typed: LogFields = spread;
    log.info('login', typed);
    expect(lines.join()).not.toContain('hunter2');
    expect(lines).toHaveLength(3);
  });

  it('reach no line in whatever is handed over, nested or not', () => {
    const names = fc.constantFrom('lane', 'attempt', 'password', 'input', 'error', 'req', '__proto__', 'toJSON');
    const leaf = fc.constantFrom<unknown>(
      Buffer.from('hunter2'),
      ['hunter2'],
      { value: 'hunter2' },
      new Error('hunter2'),
      Symbol('hunter2'),
      () => 'hunter2',
    );
    fc.assert(
      fc.property(fc.dictionary(names, leaf), (fields) => {
        const { log, lines } = memoryLog();
        log.write('error', 'x', fields);
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toContain('hunter2');
        expect(lines[0]).not.toContain(Buffer.from('hunter2').join(','));
      }),
    );
  });

  it('do not come with the message of a library, or its stack', () => {
    const { log, lines, last } = memoryLog();
    const error = new TypeError('cannot use "hunter2"\n    at use (hunter2:1:1)');
    log.error('failed', { error });
    expect(lines[0]).not.toContain('hunter2');
    expect(last()['error']).toMatchObject({ name: 'TypeError' });
    expect((last()['error'] as { at: string[] }).at[0]).toContain('log.test.ts');
  });
});

describe('failures', () => {
  it('are logged with code, message and context', () => {
    const { log, last } = memoryLog();
    log.error('put failed', {
      error: new Failure('StoreFull', 'store primary: cannot write a/b (ENOSPC)', { store: 'primary', key: 'a/b' }),
    });
    expect(last()['error']).toEqual({
      code: 'StoreFull',
      message: 'store primary: cannot write a/b (ENOSPC)',
      store: 'primary',
      key: 'a/b',
    });
  });

  it('are read out of what Temporal wraps them in, and nothing else of it is', () => {
    const { log, last } = memoryLog();
    const own = ApplicationFailure.create({
      type: 'HostUnreachable',
      message: 'host mac-1 does not answer',
      cause: new Error('canary'),
    });
    log.warn('Activity failed', { error: new Error('canary', { cause: own }) });
    expect(last()['error']).toEqual({ code: 'HostUnreachable', message: 'host mac-1 does not answer' });
    log.warn('Activity failed', { error: ApplicationFailure.create({ type: 'Other', message: 'canary' }) });
    expect(JSON.stringify(last())).not.toContain('canary');
  });

  it('of any kind do not break the log', () => {
    const { log, last } = memoryLog();
    for (const error of ['text', 42, null, Object.create(null) as unknown]) log.error('x', { error });
    expect(last()['error']).toEqual({ name: 'object' });
  });
});
