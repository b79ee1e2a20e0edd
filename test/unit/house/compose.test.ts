// docker-compose.yml and Dockerfile, as far as they can be checked without an engine.

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { workerEnv, workerNodeFlags } from '../../../src/config/worker-process.ts';
import { readWorkerOptions } from '../../../src/config/worker-options.ts';

const project = resolve(import.meta.dirname, '../../..');
const read = (name: string): string => readFileSync(join(project, name), 'utf8');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly network_mode?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** What the Compose specification knows of a service, as far as it may be used here: any other word is a slip. */
const serviceWords =
  'image build user entrypoint command environment ports volumes network_mode healthcheck depends_on restart stop_grace_period'.split(
    ' ',
  );
const healthWords = ['test', 'interval', 'timeout', 'retries', 'start_period'];

/** The folders of the programs that images hold, by the Dockerfiles of these releases. */
const imagePrograms: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  // the tag's own Dockerfile, and the one that later images are built with
  temporal: { temporal: ['/usr/local/bin', '/'] },
  s3: { versitygw: ['/usr/local/bin'], '/bin/sh': [''] },
};
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const compose = parse(read('docker-compose.yml')) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const services = Object.entries(compose.services);
const pinned = /^[\w./-]+:v?\d+\.\d+\.\d+(-[\w.]+)?$/;

describe('docker-compose.yml', () => {
  it('holds Temporal, the worker and S3', () => {
    expect(Object.keys(compose.services).toSorted()).toEqual(['s3', 'temporal', 'worker']);
  });

  it.each(services)('%s is pinned to a version', (_, { image }) => {
    expect(image).toMatch(pinned);
  });

  it.each(services)('%s listens on the loopback only', (_, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it.each(services)('%s mounts only volumes that are declared, or a folder of the operator', (_, { volumes = [] }) => {
    for (const [source] of volumes.map((volume) => volume.split(/:(?=\/)/))) {
      const declared = [...Object.keys(compose.volumes), '${CLAWBACK_CONFIG:-./config}'];
      expect(declared).toContain(source);
    }
  });

  it.each(services)('%s has no word that Compose does not know', (_, service) => {
    expect(Object.keys(service).filter((word) => !serviceWords.includes(word))).toEqual([]);
    expect(Object.keys(service.healthcheck ?? {}).filter((word) => !healthWords.includes(word))).toEqual([]);
  });

  it('asks for health with a program that the image has, wherever its release lays it', () => {
    for (const [name, { healthcheck, environment }] of services) {
      const [how, program = ''] = healthcheck?.test ?? ['CMD', undefined];
      expect(how).toBe('CMD');
      if (program === '') continue;
      const path = (environment?.['PATH'] ?? defaultPath).split(':');
      expect(imagePrograms[name]?.[program]?.filter((folder) => !path.includes(folder))).toEqual([]);
    }
  });

  it('starts S3 by programs that its image has', () => {
    const [shell = '', flag, text = ''] = compose.services['s3']?.entrypoint ?? [];
    expect(imagePrograms['s3']?.[shell]).toBeDefined();
    expect(flag).toBe('-c');
    expect(text.split('&& exec ')[1]?.split(' ')[0]).toBe('versitygw');
  });

  it('gives the worker options that it knows', () => {
    expect(readWorkerOptions(compose.services['worker']?.command ?? [])).toMatchObject({
      fleet: '/config/fleet.yaml',
      roles: ['host', 'data', 'vault', 'vaultData'],
      owned: false,
    });
  });

  it('starts the worker when Temporal is healthy, on the network of the S3 server', () => {
    expect(compose.services['worker']?.depends_on).toEqual({
      temporal: { condition: 'service_healthy' },
      s3: { condition: 'service_started' },
    });
    expect(compose.services['worker']?.network_mode).toBe('service:s3');
    expect(compose.services['temporal']?.healthcheck).toBeDefined();
  });
});

describe('the worker image', () => {
  const lines = read('Dockerfile').split('\n');

  it('is built on the Node that the project pins', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
    expect(lines).toContain(`FROM node:${devDependencies['node']}-slim`);
  });

  it('runs as nobody special', () => {
    expect(lines.filter((line) => line.startsWith('USER ')).at(-1)).toBe('USER node');
  });

  it('copies what is there, and what .dockerignore lets through', () => {
    const copied = lines.filter((line) => line.startsWith('COPY ')).flatMap((line) => line.split(' ').slice(1, -1));
    const letThrough = read('.dockerignore').split('\n');
    expect(copied.length).toBeGreaterThan(0);
    for (const path of copied) {
      expect(existsSync(join(project, path)), path).toBe(true);
      expect(letThrough).toContain(`!${path}`);
    }
  });

  it('starts the worker as the command line does, with the options that it knows', () => {
    const words = (instruction: string): string[] =>
      JSON.parse(
        lines.find((line) => line.startsWith(`${instruction} `))?.slice(instruction.length) ?? '[]',
      ) as string[];
    const [node, ...argv] = words('ENTRYPOINT');
    expect([node, ...argv]).toEqual(['node', ...workerNodeFlags, 'src/worker.ts']);
    expect(existsSync(join(project, argv.at(-1) ?? ''))).toBe(true);
    expect(readWorkerOptions(words('CMD'))).toMatchObject({ fleet: '/config/fleet.yaml', owned: false });
    for (const [name, value] of Object.entries(workerEnv)) expect(read('Dockerfile')).toContain(`${name}=${value}`);
  });

  it('has the programs that a worker calls', () => {
    const packages = { 'ssh-keygen': 'openssh-client', gpg: 'gnupg', openssl: 'openssl' };
    const sources = ['src/signing/ssh-signature.ts', 'src/bundle/unwrap.ts'].map(read).join('\n');
    for (const [program, name] of Object.entries(packages)) {
      expect(sources).toContain(`'${program}'`);
      expect(read('Dockerfile')).toMatch(new RegExp(`apt-get install .*\\b${name}\\b`));
    }
  });
});
