// The command line from outside, as far as it goes without Temporal and hosts: arguments, settings, exit statuses.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FleetBed, makeFleetBed } from '../config/fleet-bed.ts';
import { run } from './around.ts';

interface JsonFailure {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly next: string;
}

describe('arguments', () => {
  it.each<[readonly string[], string, string]>([
    [[], 'a command is missing', './clawback --help'],
    [['bakup'], "unknown command 'bakup' (Did you mean backup?)", './clawback --help'],
    [['bundles'], 'a command is missing', './clawback bundles --help'],
    [['backup'], 'name one lane or several, or give --all, or --host: one of the three', './clawback backup --help'],
    [['backup', 'lane-1', '--all'], 'name one lane or several, or give --all', './clawback backup --help'],
    [['restore', '--all', '--host', 'mac-1'], 'name one lane or several, or give --all', './clawback restore --help'],
    [['backup', 'lane-1', 'lane-1'], 'a lane is named twice', './clawback backup --help'],
    [['restore', '--all', '--undo', '--yes'], '--undo is for one lane', './clawback restore --help'],
    [['restore', '--all'], 'there is no terminal to ask on: give --yes', './clawback restore --help'],
    [['backup', 'Lane_1'], 'LANE "Lane_1" is not a lane\'s id', './clawback backup --help'],
    [['backup', 'lane-1', '--teir', 'A'], "unknown option '--teir' (Did you mean --tier?)", './clawback backup --help'],
    [['restore', 'lane-1', '--at', 'noon'], '--at "noon" is not a time', './clawback restore --help'],
    [
      ['restore', 'lane-1', '--bundle', '20261122T031500Z-1a2b3c4d', '--at', '2026-11-22T03:15:00Z'],
      '--bundle and --at exclude each other',
      './clawback restore --help',
    ],
    [['restore', 'lane-1', '--undo', '--dry-run'], '--undo goes with --yes alone', './clawback restore --help'],
    [['restore', 'lane-1'], 'there is no terminal to ask on: give --yes', './clawback restore --help'],
    [
      ['bundles', 'show', '20261122T031500Z-1a2b3c4d'],
      "required option '--lane <LANE>' not specified",
      './clawback bundles show --help',
    ],
    [['expire'], 'give either a lane or --all', './clawback expire --help'],
    [['expire', 'lane-1', '--all'], 'give either a lane or --all', './clawback expire --help'],
    [['--fleet', '', 'status'], '--fleet "" is not a path', './clawback status --help'],
  ])('%j are refused before anything else happens', async (argv, message, next) => {
    const { status, out, err } = await run(argv);
    expect(err).toContain(`error: ${message}`);
    expect(err.trimEnd()).toMatch(/\nHINT: .+\n/);
    expect(err).toContain(`next: ${next}\n`);
    expect([status, out]).toEqual([2, '']);
  });

  it('that are refused give one JSON object on stdout with --json, and nothing on stderr', async () => {
    const { status, out, err } = await run(['backup', 'Lane', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      code: 'InvalidInput',
      hint: 'correct the named field',
      next: './clawback backup --help',
    } satisfies Partial<JsonFailure>);
    expect(out.split('\n')).toHaveLength(2);
    expect([status, err]).toEqual([2, '']);
  });

  it('after -- are no flags', async () => {
    const { out, err } = await run(['backup', '--', '--json']);
    expect(out).toBe('');
    expect(err).toContain('LANE "--json" is not a lane\'s id');
  });
});

describe('help and version', () => {
  it('are results: on stdout, with status 0', async () => {
    const { status, out, err } = await run(['--help']);
    expect(out).toContain('Usage: clawback');
    expect([status, err]).toEqual([0, '']);
  });

  it('are an object with --json', async () => {
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
      version: string;
    };
    expect(JSON.parse((await run(['--json', '--version'])).out)).toEqual({ ok: true, version });
    expect(JSON.parse((await run(['restore', '--help', '--json'])).out)).toMatchObject({
      ok: true,
      help: expect.stringContaining('--dry-run'),
    });
  });
});

describe('the fleet file', () => {
  let bed: FleetBed;
  beforeAll(async () => {
    bed = await makeFleetBed();
  }, 60_000);
  afterAll(() => bed.remove());

  it('is --fleet, else CLAWBACK_FLEET, else ./fleet.yaml', async () => {
    const path = await bed.fleet();
    const found = await Promise.all([
      run(['config', 'check', '--fleet', path, '--json'], { env: { CLAWBACK_FLEET: '/wrong' } }),
      run(['config', 'check', '--json'], { env: { CLAWBACK_FLEET: path } }),
      run(['config', 'check', '--json'], { cwd: bed.dir }),
    ]);
    for (const { out, status } of found) {
      expect(JSON.parse(out)).toMatchObject({ ok: true, path, fleet: 'demo', lanes: ['lane-1', 'lane-2', 'lane-3'] });
      expect(status).toBe(0);
    }
  });

  it('that is not there is told with the way out', async () => {
    const { status, err } = await run(['status'], { cwd: bed.dir, env: { CLAWBACK_FLEET: 'other.yaml' } });
    expect(err).toContain(
      `there is no fleet file ${join(bed.dir, 'other.yaml')}: give --fleet FILE, or set CLAWBACK_FLEET`,
    );
    expect(status).toBe(2);
  });

  it('is checked whole: every error with its line, exit status 2', async () => {
    const path = await bed.fleet(['port: 18790', 'port: 0'], ['user: admin', 'user: ""']);
    const { status, err } = await run(['config', 'check'], { env: { CLAWBACK_FLEET: path } });
    expect(err).toMatch(/fleet\.yaml:\d+:\d+ hosts\.mac-1\.user: /);
    expect(err).toMatch(/fleet\.yaml:\d+:\d+ lanes\.lane-2\.port: /);
    expect(status).toBe(2);
  });

  it('has no such lane: UnknownLane lists those it has, and nothing was started', async () => {
    const path = await bed.fleet();
    const { status, err } = await run(['backup', 'lane-9', '--fleet', path]);
    expect(err).toContain('no lane lane-9 (lanes: lane-1, lane-2, lane-3)');
    expect(status).toBe(2);
  });

  it('and no Temporal: TemporalUnreachable within some five seconds, exit status 6, and the lane untouched', async () => {
    const path = await bed.fleet();
    const before = process.env['TEMPORAL_ADDRESS'];
    process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
    try {
      const startedMs = performance.now();
      const { status, out } = await run(['backup', 'lane-1', '--fleet', path, '--json']);
      expect(JSON.parse(out)).toMatchObject({
        ok: false,
        code: 'TemporalUnreachable',
        lane: { lane: 'lane-1', untouched: true },
      });
      expect(status).toBe(6);
      expect(performance.now() - startedMs).toBeLessThan(10_000);
    } finally {
      if (before === undefined) delete process.env['TEMPORAL_ADDRESS'];
      else process.env['TEMPORAL_ADDRESS'] = before;
    }
  });
});
