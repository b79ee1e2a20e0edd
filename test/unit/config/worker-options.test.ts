import { cpus } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readWorkerOptions } from '../../../src/config/worker-options.ts';
import { queueRoles } from '../../../src/contract/names.ts';
import { limits } from '../../../src/domain/limits.ts';

describe('the options of a worker', () => {
  it('are all queues, a stream a core, and its own connections, when nothing else is said', () => {
    expect(readWorkerOptions(['--fleet', 'fleet.yaml'])).toEqual({
      fleet: 'fleet.yaml',
      roles: queueRoles,
      streams: cpus().length,
      connections: limits.connectionsPerHost,
      bundle: undefined,
      owned: false,
    });
  });

  it('are shares where several work together', () => {
    const argv = ['--fleet', 'f', '--queues', 'data', '--streams', '3', '--connections', '2', '--owned'];
    expect(readWorkerOptions(argv)).toMatchObject({ roles: ['data'], streams: 3, connections: 2, owned: true });
  });

  it('are the file alone where only workflows are bundled', () => {
    expect(readWorkerOptions(['--owned', '--write-bundle', 'w.js'])).toEqual({ writeBundle: 'w.js' });
  });

  it.each([
    [[], 'the worker needs --fleet FILE'],
    [['--fleet', 'f', '--queues', 'host,dat'], 'no queue dat; there are host, data, vault, vaultData'],
    [['--fleet', 'f', '--streams', '0'], '--streams 0 is no positive number'],
    [['--fleet', 'f', '--connections', 'x'], '--connections x is no positive number'],
  ])('%j are refused: %s', (argv, message) => {
    expect(() => readWorkerOptions(argv)).toThrow(message);
  });
});
