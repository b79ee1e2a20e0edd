// Free TCP ports of a loopback address, for hosts and gateways.

import { createServer } from 'node:net';

/** Ports below the range that the system gives to outgoing connections, each given once. */
export class FreePorts {
  readonly #given = new Set<number>();

  async take(address: string): Promise<number> {
    for (let tries = 0; tries < 200; tries += 1) {
      const port = 20_000 + Math.floor(Math.random() * 12_000);
      if (this.#given.has(port)) continue;
      this.#given.add(port);
      if (await isFree(address, port)) return port;
    }
    throw new Error(`no free port on ${address} in 200 tries`);
  }
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, address, () => server.close(() => done(true)));
  });
}
