// docker-compose.yml and Dockerfile, as far as they can be checked without an engine.

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const project = resolve(import.meta.dirname, '../../..');
const read = (name: string): string => readFileSync(join(project, name), 'utf8');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly network_mode?: string;
  readonly healthcheck?: unknown;
}

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
});
