// Who vouches that it is not our own network: control addresses wherever they are, stores only out in the world.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../../src/activities/deps.ts';
import { isPublicAddress } from '../../../src/activities/watch/public-address.ts';
import { probeControlsStep } from '../../../src/activities/watch/probe-controls.ts';
import { endpointOf, type FleetStore } from '../../../src/contract/fleet-store.ts';
import type { WatchedPlace } from '../../../src/contract/watch-types.ts';
import { runStep } from './golden-stores.ts';

let server: Server;
let open: WatchedPlace;
let shut: WatchedPlace;

beforeAll(async () => {
  server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  const gone = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(gone, 'listening')]);
  const at = (one: Server): WatchedPlace => ({
    region: 'hk',
    address: '127.0.0.1',
    port: (one.address() as AddressInfo).port,
  });
  [open, shut] = [at(server), at(gone)];
  await new Promise((resolve) => gone.close(resolve));
});
afterAll(() => void server.close());

function probe(watched: { controls?: readonly WatchedPlace[]; stores?: readonly WatchedPlace[] }) {
  const fleet = { watched: { controls: [], stores: [], ...watched } } as unknown as Deps['fleet'];
  return runStep(probeControlsStep({ fleet }), undefined);
}

describe('a control address', () => {
  it('vouches wherever it is, while it accepts connections', async () => {
    expect(await probe({ controls: [open, { ...shut, region: 'tokyo' }] })).toEqual({
      controls: [
        { region: 'hk', answers: true },
        { region: 'tokyo', answers: false },
      ],
      stores: [],
    });
  });
});

describe('a store', () => {
  it('in our own network vouches for nothing, though it accepts connections', async () => {
    expect(await probe({ stores: [open, shut] })).toMatchObject({ stores: [{ answers: false }, { answers: false }] });
  });

  it('is not asked where a control address is named', async () => {
    expect(await probe({ controls: [shut], stores: [open] })).toMatchObject({ stores: [] });
  });

  it.each(['1.1.1.1', '172.32.0.1', '100.63.255.1', '2606:4700::1111', '::ffff:1.1.1.1'])(
    'at %s is out in the world',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.20.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
    'FE80::1',
    '::ffff:10.0.0.1',
    '',
  ])('at %s is not', (address) => expect(isPublicAddress(address)).toBe(false));

  it.each<[Partial<FleetStore>, string | undefined]>([
    [{ kind: 'directory' }, undefined],
    [{ kind: 's3', awsRegion: 'ap-east-1' }, 's3.ap-east-1.amazonaws.com:443'],
    [{ kind: 's3', awsRegion: 'cn-north-1' }, 's3.cn-north-1.amazonaws.com.cn:443'],
    [{ kind: 's3', awsRegion: 'auto', endpoint: 'https://s3.example.net:9000' }, 's3.example.net:9000'],
    [{ kind: 's3', awsRegion: 'auto', endpoint: 'http://[::1]' }, '::1:80'],
  ])('%j answers at %s', (store, at) => {
    const place = endpointOf({ region: 'hk', ...store } as FleetStore);
    expect(place && `${place.address}:${place.port}`).toBe(at);
  });
});
