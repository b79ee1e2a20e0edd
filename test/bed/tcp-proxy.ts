// A TCP proxy between Clawback and a host or store, for faults: latency, a bandwidth cap, a cut after N bytes, a black
// hole, a refusal. It changes while connections run.

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { pipeline, Transform } from 'node:stream';

export interface ProxyFaults {
  /** Added to each chunk, each way. */
  latencyMs: number;
  /** Each way, over all connections together, as on a link; 0: no cap. */
  bytesPerSecond: number;
  /** Connections are cut (RST) once so many bytes have passed both ways, over all of them; 0: never. */
  cutAfterBytes: number;
  /** Nothing passes, nothing closes. */
  blackhole: boolean;
  /** New connections are reset at once. */
  refuse: boolean;
}

const none: ProxyFaults = { latencyMs: 0, bytesPerSecond: 0, cutAfterBytes: 0, blackhole: false, refuse: false };

type Way = 'there' | 'back';

/** A link that was due so little ago was never idle: a timer was late. */
const lateMs = 5;

export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #faults: ProxyFaults = { ...none };
  #passedBytes = 0;
  #held: (() => void)[] = [];
  /** When the last chunk that was let onto the link has left it, by way. */
  #clearAtMs: Record<Way, number> = { there: 0, back: 0 };

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((socket) => this.#accept(socket, target));
  }

  /** Listens on a free loopback port. */
  static async start(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Bytes that passed since the last `set`. */
  get passedBytes(): number {
    return this.#passedBytes;
  }

  /** Replaces the faults; what is not named is off. Bytes are counted from here. */
  set(faults: Partial<ProxyFaults>): void {
    this.#faults = { ...none, ...faults };
    this.#passedBytes = 0;
    this.#clearAtMs = { there: 0, back: 0 };
    if (!this.#faults.blackhole) for (const go of this.#held.splice(0)) go();
  }

  /** Resets every open connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.set({});
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket, target: { readonly host: string; readonly port: number }): void {
    socket.on('error', () => undefined);
    if (this.#faults.refuse) {
      socket.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...target, noDelay: true });
    socket.setNoDelay(true);
    upstream.on('error', () => socket.resetAndDestroy());
    for (const one of [socket, upstream]) {
      this.#sockets.add(one);
      one.on('close', () => this.#sockets.delete(one));
    }
    pipeline(socket, this.#faulty('there'), upstream, () => socket.destroy());
    pipeline(upstream, this.#faulty('back'), socket, () => upstream.destroy());
  }

  #faulty(way: Way): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, pass) => {
        void this.#pass(way, chunk.length).then(() => pass(undefined, chunk), pass);
      },
    });
  }

  async #pass(way: Way, sizeBytes: number): Promise<void> {
    await this.#delay(way, sizeBytes);
    this.#passedBytes += sizeBytes;
    if (this.#faults.cutAfterBytes > 0 && this.#passedBytes >= this.#faults.cutAfterBytes) this.cut();
  }

  async #delay(way: Way, sizeBytes: number): Promise<void> {
    const waitMs = this.#faults.latencyMs + this.#onLinkMs(way, sizeBytes);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (this.#faults.blackhole) await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  /** Until so many bytes have left the link, behind what is on it already. */
  #onLinkMs(way: Way, sizeBytes: number): number {
    const { bytesPerSecond } = this.#faults;
    if (bytesPerSecond === 0) return 0;
    const nowMs = performance.now();
    const clearAtMs = this.#clearAtMs[way];
    const startMs = nowMs - clearAtMs > lateMs ? nowMs : clearAtMs;
    this.#clearAtMs[way] = startMs + (1000 * sizeBytes) / bytesPerSecond;
    return this.#clearAtMs[way] - nowMs;
  }
}
