// What ours is set against, on the same lane over the same sshd: the operators' script (`ssh tar -cz | gpg | upload`, as
// they have it), and the floor that nothing on this wire can be under (`ssh tar | zstd`). gpg's own compression is
// off, for the stream is compressed already: an operator who knows gpg does the same.

import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed, BedLane } from '../bed/bed.ts';
import { largestPeakBelow } from './usage.ts';

/** Where the script uploads to: any S3 server that `aws` reaches; `env` has the credential. */
export interface Upload {
  readonly endpoint: string;
  readonly bucket: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface PeerRun {
  readonly peakRssBytes: number;
  readonly storedBytes: null;
}

const excluded = ['node_modules', '.npm', '.openclaw/tmp'].map((name) => `--exclude=${name}`).join(' ');

export class Peers {
  readonly #dir: string;
  readonly #lane: BedLane;
  readonly #ssh: string;
  readonly #launchctl: string;
  readonly #upload: Upload;

  constructor(bed: Bed, lane: BedLane, dir: string, upload: Upload) {
    const host = bed.host(lane.host);
    this.#dir = dir;
    this.#lane = lane;
    this.#upload = upload;
    this.#launchctl = host.tools['launchctl'] ?? '/bin/launchctl';
    mkdirSync(join(dir, 'gnupg'), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, 'passphrase'), 'the operators have one in a file', { mode: 0o600 });
    const options = ['StrictHostKeyChecking=no', `UserKnownHostsFile=${join(dir, 'known_hosts')}`, 'LogLevel=ERROR'];
    this.#ssh = [
      `ssh -i ${bed.sshKeyPath} -p ${host.port}`,
      ...options.map((option) => `-o ${option}`),
      `${host.user}@${host.address}`,
    ].join(' ');
  }

  /** `ssh tar | zstd > /dev/null`. */
  floorBackup(): Promise<PeerRun> {
    return this.#run(
      `${this.#ssh} 'tar -c ${excluded} -C ${this.#lane.home} .openclaw workspace' | zstd -q -3 >/dev/null`,
    );
  }

  scriptBackup(): Promise<PeerRun> {
    const tar = `${this.#ssh} 'tar -cz ${excluded} -C ${this.#lane.home} .openclaw workspace'`;
    return this.#run(
      `${tar} | ${this.#gpg('--symmetric --cipher-algo AES256 -z 0')} | ${this.#aws(`cp - ${this.#object}`)}`,
    );
  }

  /** As the procedure has it: job unloaded, tree moved away, unpacked, job loaded, health awaited. */
  scriptRestore(): Promise<PeerRun> {
    const { home, plist, port } = this.#lane;
    const away = `for tree in .openclaw workspace; do mv ${home}/$tree ${home}/$tree.script.bak; done`;
    const unpack = `${this.#launchctl} unload ${plist}; ${away}; tar -xz -C ${home}`;
    const start = `${this.#launchctl} load ${plist}; until curl -fs http://127.0.0.1:${port}/health; do sleep 0.2; done`;
    const fetch = `${this.#aws(`cp ${this.#object} -`)} | ${this.#gpg('--decrypt')}`;
    return this.#run(`${fetch} | ${this.#ssh} '${unpack}' && ${this.#ssh} '${start}' >/dev/null`);
  }

  /** Removes what the script moved away. */
  tidy(): void {
    for (const tree of ['.openclaw', 'workspace'])
      rmSync(join(this.#lane.realHome, `${tree}.script.bak`), { recursive: true, force: true });
  }

  get #object(): string {
    return `s3://${this.#upload.bucket}/openclaw-full.tar.gz.gpg`;
  }

  #gpg(verb: string): string {
    const home = join(this.#dir, 'gnupg');
    const passphrase = join(this.#dir, 'passphrase');
    return `gpg --homedir ${home} --batch --quiet --yes --pinentry-mode loopback --passphrase-file ${passphrase} ${verb}`;
  }

  #aws(verb: string): string {
    return `aws --endpoint-url ${this.#upload.endpoint} s3 ${verb}`;
  }

  async #run(line: string): Promise<PeerRun> {
    const child = spawn('bash', ['-o', 'pipefail', '-c', line], {
      env: { ...process.env, ...this.#upload.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
    const ended = new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) =>
        status === 0 ? resolve() : reject(new Error(`a peer ended with ${status}: ${said}`)),
      );
    });
    const peak = largestPeakBelow(child.pid ?? 0, ended);
    await ended;
    return { peakRssBytes: await peak, storedBytes: null };
  }
}
