import { execFileSync } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileOf } from '../../../src/domain/profile.ts';
import { usedRatioOf } from '../../../src/domain/quantity.ts';
import { clockOffset, offsetOf } from '../../../src/lane/clock.ts';
import { containerOf, diskOf, parseDf } from '../../../src/lane/disk.ts';
import { checkHealth, sendTestMessage } from '../../../src/lane/gateway.ts';
import { parseDisabled, parseJob } from '../../../src/lane/job-state.ts';
import { requirePortFree, zoneOf } from '../../../src/lane/survey.ts';
import { freePort, type LocalHost, startLocalHost } from './local-host.ts';

let local: LocalHost;
beforeAll(async () => {
  local = await startLocalHost();
});
afterAll(() => local.stop());

const legacy = profileOf('slimvps-legacy') ?? expect.fail();
const current = profileOf('openclaw-2026') ?? expect.fail();

describe('offsetOf', () => {
  it('is never further off than half a second and half a round trip', () => {
    const sample = fc.record({
      at: fc.integer({ min: 0, max: 100_000 }),
      there: fc.integer({ min: 0, max: 400 }),
      back: fc.integer({ min: 0, max: 400 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: -90_000, max: 90_000 }),
        fc.array(sample, { minLength: 1, maxLength: 4 }),
        (offsetMs, looks) => {
          const samples = looks.map(({ at, there, back }) => ({
            sentAtMs: at,
            receivedAtMs: at + there + back,
            hostSeconds: Math.floor((at + there + offsetMs) / 1000),
          }));
          const trips = looks.map(({ there, back }) => there + back);
          expect(Math.abs(offsetOf(samples) - offsetMs)).toBeLessThanOrEqual(500 + Math.min(...trips) / 2 + 1);
        },
      ),
    );
  });

  it('finds that this machine agrees with itself', async () => {
    expect(Math.abs(await clockOffset(await local.shell()))).toBeLessThan(1500);
  });
});

describe('zoneOf', () => {
  it.each([
    ['/var/db/timezone/zoneinfo/Asia/Tokyo', 'Asia/Tokyo'],
    ['/usr/share/zoneinfo.default/Asia/Hong_Kong', 'Asia/Hong_Kong'],
    ['/usr/share/zoneinfo/America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
    ['/usr/share/zoneinfo/Etc/UTC', 'Etc/UTC'],
    ['/zoneinfo/UTC', 'UTC'],
    ['Europe/London', 'Europe/London'],
    ['+0900', 'Etc/GMT-9'],
    ['-0500', 'Etc/GMT+5'],
    ['+0000', 'UTC'],
    ['+0530', undefined],
    ['../../x', undefined],
    ['', undefined],
  ])('takes %j for %j', (text, zone) => {
    expect(zoneOf(text)).toBe(zone);
  });
});

describe('containerOf', () => {
  it.each([
    ['/dev/disk3s5 100 40 60 40% /System/Volumes/Data', '/dev/disk3'],
    ['/dev/disk3s1s1 100 40 60 40% /', '/dev/disk3'],
    ['/dev/vda1 100 40 60 40% /', '/dev/vda1'],
    ['map auto home 100 40 60 40% /my volume 7', 'map auto home'],
  ])('%s shares its room as %s', (row, expected) => {
    expect(containerOf(`Filesystem blocks Used Available Capacity Mounted on\n${row}\n`)).toBe(expected);
  });
});

describe('parseDf', () => {
  it('reads what BSD and GNU print, blanks in names and all', () => {
    const bsd =
      'Filesystem   1024-blocks      Used Available Capacity  Mounted on\n/dev/disk3s5   239362496 120000000 100000000    55%    /System/Volumes/Data\n';
    expect(parseDf(bsd)).toEqual({
      totalBytes: 239_362_496 * 1024,
      usedBytes: 120_000_000 * 1024,
      freeBytes: 100_000_000 * 1024,
    });
    expect(parseDf('x\nmap auto home 100 40 60 40% /my volume 7\n')).toEqual({
      totalBytes: 102_400,
      usedBytes: 40_960,
      freeBytes: 61_440,
    });
    expect(parseDf('x\n/dev/full 100 104 -4 104% /full\n')).toEqual({
      totalBytes: 102_400,
      usedBytes: 106_496,
      freeBytes: 0,
    });
    expect(parseDf('df: no such file\n')).toBeUndefined();
  });

  it('measures a real volume, as full as its own capacity column says', async () => {
    const room = await diskOf(await local.shell(), '/');
    expect(room.totalBytes).toBeGreaterThan(room.freeBytes);
    const capacity = /(\d+)%/.exec(execFileSync('df', ['-Pk', '/'], { encoding: 'utf8' }).split('\n')[1] ?? '')?.[1];
    expect(Math.abs(usedRatioOf(room) * 100 - Number(capacity))).toBeLessThanOrEqual(1);
  });

  it.each([
    ['APFS, where the size is the container and not the volume', '239362496 120000000 100000000', 55],
    ['ext4 with a reserve for root', '41152812 34000000 5030000', 88],
    ['full to its reserve', '100 95 -4', 100],
    ['without a block', '0 0 0', 100],
  ])('tells how full a volume is as df does: %s', (_, blocks, percent) => {
    const room = parseDf(`head\n/dev/disk3s5 ${blocks} 1% /`) ?? expect.fail();
    expect(Math.ceil(usedRatioOf(room) * 100)).toBe(percent);
  });
});

describe('what launchctl prints', () => {
  it('is read at one tab of indent only', () => {
    const text =
      'system/x = {\n\tpath = /L/x.plist\n\tstate = not running\n\n\truns = 3\n\tlast exit code = 78: EX_CONFIG\n\n\tcoalition = {\n\t\tstate = active\n\t\tpid = 1\n\t}\n}\n';
    expect(parseJob(text)).toEqual({ state: 'not running', plistPath: '/L/x.plist', lastExit: 78, runs: 3 });
    expect(parseJob('\tstate = running\n\tpid = 12\n\tlast exit code = (never exited)\n')).toEqual({
      state: 'running',
      pid: 12,
    });
  });

  it('tells a disable of today and of old, of this label only', () => {
    const text =
      '\n\tdisabled services = {\n\t\t"a" => disabled\n\t\t"b" => enabled\n\t\t"c" => true\n\t\t"d" => false\n\t\t"aa" => enabled\n\t}\n';
    expect(['a', 'b', 'c', 'd', 'aa', 'x'].map((label) => parseDisabled(text, label))).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('probes of a gateway', () => {
  let server: Server;
  let port: number;
  let ready = 200;
  const seen: { url: string; authorization: string | undefined; session: string | undefined; body: string }[] = [];
  const token = 'tok"en\\with odd % characters';

  beforeAll(async () => {
    port = await freePort();
    server = createServer((request, response) => void answer(request, response)).listen(port, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    seen.push({
      url: request.url ?? '',
      authorization: request.headers.authorization,
      session: request.headers['x-openclaw-session-key'] as string,
      body,
    });
    if (request.url === '/health') return response.writeHead(200).end('{"ok":true}');
    if (request.url === '/readyz') return response.writeHead(ready).end('{}');
    if (request.headers.authorization !== `Bearer ${token}`)
      return response.writeHead(401).end('{"error":{"message":"Unauthorized"}}');
    const { messages } = JSON.parse(body) as { messages: { content: string }[] };
    const content = messages[0]?.content === 'say nothing' ? '' : 'hello';
    return response.writeHead(200).end(JSON.stringify({ choices: [{ message: { content } }] }));
  }
  afterAll(() => server.close());

  it('are healthy when live and, where the profile has it, ready', async () => {
    const shell = await local.shell({ port });
    ready = 503;
    expect(await checkHealth(shell, legacy)).toBe(true);
    expect(await checkHealth(shell, current)).toBe(false);
    ready = 200;
    expect(await checkHealth(shell, current)).toBe(true);
    expect(await checkHealth(await local.shell({ port: await freePort() }), legacy)).toBe(false);
  });

  it('send a message in a session of their own, the token in no command line', async () => {
    const shell = await local.shell({ port });
    expect(await sendTestMessage(shell, current, token, { text: 'a "quoted" line\nand another\\' })).toEqual({
      answered: true,
      httpStatus: 200,
    });
    expect(seen.at(-1)).toMatchObject({ authorization: `Bearer ${token}`, session: 'agent:main:clawback-probe' });
    expect(JSON.parse(seen.at(-1)?.body ?? '')).toMatchObject({
      messages: [{ role: 'user', content: 'a "quoted" line\nand another\\' }],
    });
  });

  it('tell a refused token, an empty answer and a gateway that is down', async () => {
    const shell = await local.shell({ port });
    expect(await sendTestMessage(shell, current, 'wrong')).toEqual({ answered: false, httpStatus: 401 });
    expect(await sendTestMessage(shell, current, '')).toEqual({ answered: false, httpStatus: 401 });
    expect(await sendTestMessage(shell, current, token, { text: 'say nothing' })).toEqual({
      answered: false,
      httpStatus: 200,
    });
    expect(await sendTestMessage(await local.shell({ port: await freePort() }), current, token)).toEqual({
      answered: false,
      httpStatus: 0,
    });
  });

  it('tell a taken port from a free one', async () => {
    await expect(requirePortFree(await local.shell({ port }))).rejects.toMatchObject({ code: 'PortTaken' });
    await requirePortFree(await local.shell({ port: await freePort() }));
  });
});
