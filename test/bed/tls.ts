// Certificates to order, and a server that shows one and hands what it is told to a server without TLS.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export interface Shown {
  readonly certPem: string;
  readonly keyPem: string;
}

/** An authority that nobody knows yet. */
export class Authority {
  readonly certPem: string;
  readonly #dir: string;
  readonly #name: string;
  #serial = 1;

  /** @param name also of its files in the folder */
  constructor(dir: string, name: string) {
    this.#dir = dir;
    this.#name = name;
    const files = ['-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.pem`)];
    openssl('req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, ...files);
    this.certPem = readFileSync(join(dir, `${name}.pem`), 'utf8');
  }

  /**
   * @param subject as a certificate has it: `IP:127.0.0.1`, `DNS:s3.example.net`
   * @param days for so many from now; a negative number: it has ended
   */
  certify(subject: string, days = 2): Shown {
    this.#serial += 1;
    const at = (end: string): string => join(this.#dir, `${this.#name}-${this.#serial}.${end}`);
    writeFileSync(at('ext'), `subjectAltName=${subject}\n`);
    openssl('req', '-new', ...newKey, '-subj', '/CN=bed', '-keyout', at('key'), '-out', at('csr'));
    const signer = ['-CA', join(this.#dir, `${this.#name}.pem`), '-CAkey', join(this.#dir, `${this.#name}.key`)];
    const which = ['-set_serial', `${this.#serial}`, '-days', `${days}`, '-extfile', at('ext')];
    openssl('x509', '-req', '-in', at('csr'), ...signer, ...which, '-out', at('pem'));
    return { certPem: readFileSync(at('pem'), 'utf8'), keyPem: readFileSync(at('key'), 'utf8') };
  }
}

function openssl(...argv: string[]): void {
  execFileSync('openssl', argv, { stdio: 'ignore' });
}

export class TlsFront {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections whose client took the certificate and sent something. */
  entrusted = 0;

  private constructor(port: number, { certPem, keyPem }: Shown) {
    this.#server = createServer({ cert: certPem, key: keyPem }, (socket) => {
      socket.on('error', () => undefined).once('data', () => (this.entrusted += 1));
      const behind = connect(port, '127.0.0.1').on('error', () => socket.destroy());
      for (const one of [socket, behind]) this.#sockets.add(one);
      socket.pipe(behind).pipe(socket);
    });
  }

  /** Before a server on the loopback, on a free port of it. */
  static async start(port: number, shown: Shown): Promise<TlsFront> {
    const front = new TlsFront(port, shown);
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    return front;
  }

  get endpoint(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
