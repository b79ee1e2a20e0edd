// An HTTP proxy in front of an S3 server that answers wrongly where it is told to: with a status, with a body of
// another length than it said, cut in the middle, or not at all; before the server has seen the request, or after it.

import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export type HttpFault =
  /** The server never sees the request. */
  | { readonly answer: number; readonly code: string }
  /** The server does what it is asked, and its answer is lost. */
  | 'lose-answer'
  /** The connection ends while the request's body is read. */
  | 'cut-request'
  /** Nothing is answered, nothing closes. */
  | 'stall'
  /** Half of the answer's body, then silence. */
  | 'stall-answer'
  /** Half of the answer's body, then the connection ends. */
  | 'cut-answer'
  /** Half of the answer's body, told as if it were all. */
  | 'shorten-answer'
  /** One bit of the answer's body is another. */
  | 'flip-answer';

export interface FaultRule {
  /** Which requests: method and the target with its query. */
  readonly when: (method: string, target: string) => boolean;
  readonly fault: HttpFault;
  /** How often; default: always. */
  readonly times?: number;
  /** Called when the server has done what it was asked, before the client is answered, if at all. */
  readonly onDone?: () => void;
}

export class HttpFaults {
  readonly #server: Server;
  readonly #target: URL;
  #rule: FaultRule | undefined;
  #left = 0;
  /** Requests that met the fault. */
  hits = 0;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((incoming, outgoing) => {
      outgoing.on('error', () => undefined);
      void this.#pass(incoming, outgoing).catch(() => outgoing.destroy());
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(endpoint: string): Promise<HttpFaults> {
    const proxy = new HttpFaults(new URL(endpoint));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  set(rule: FaultRule | undefined): void {
    this.#rule = rule;
    this.#left = rule?.times ?? Number.POSITIVE_INFINITY;
    this.hits = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #ruleOf(method: string, target: string): FaultRule | undefined {
    if (this.#rule === undefined || this.#left === 0 || !this.#rule.when(method, target)) return undefined;
    this.#left -= 1;
    this.hits += 1;
    return this.#rule;
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming;
    const rule = this.#ruleOf(method, url);
    const fault = rule?.fault;
    if (fault === 'cut-request') return void incoming.once('data', () => incoming.destroy());
    const body = await buffer(incoming);
    if (fault === 'stall') return undefined;
    if (typeof fault === 'object') return refuse(outgoing, fault);
    const { status, headers, bytes } = await this.#forward(incoming, body);
    rule?.onDone?.();
    return answerWith(outgoing, { status, headers, bytes }, fault);
  }

  #forward(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    const { hostname, port } = this.#target;
    const { method, url: path, headers } = incoming;
    return new Promise((resolve, reject) => {
      const forwarded = request({ hostname, port, method, path, headers, agent: false }, (response) => {
        buffer(response).then(
          (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes }),
          reject,
        );
      });
      forwarded.on('error', reject);
      forwarded.end(body);
    });
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
}

function refuse(outgoing: ServerResponse, { answer, code }: { readonly answer: number; readonly code: string }): void {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>as told</Message></Error>`;
  outgoing.writeHead(answer, { 'content-type': 'application/xml', 'content-length': xml.length });
  outgoing.end(xml);
}

function answerWith(outgoing: ServerResponse, answer: Answer, fault: HttpFault | undefined): void {
  const { status, headers } = answer;
  const half = answer.bytes.subarray(0, answer.bytes.length >> 1);
  const begin = (bytes: number): void => {
    const rest = Object.entries(headers).filter(([name]) => !['content-length', 'transfer-encoding'].includes(name));
    outgoing.writeHead(status, { ...Object.fromEntries(rest), 'content-length': bytes });
  };
  if (fault === 'lose-answer') {
    outgoing.destroy();
    return;
  }
  if (fault === 'cut-answer' || fault === 'stall-answer') {
    begin(answer.bytes.length);
    outgoing.write(half, () => fault === 'cut-answer' && outgoing.destroy());
    return;
  }
  const bytes = Buffer.from(fault === 'shorten-answer' ? half : answer.bytes);
  if (fault === 'flip-answer' && bytes.length > 0) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  begin(bytes.length);
  outgoing.end(bytes);
}
