// What ours is set against, on the same lane over the same sshd: the operators' script (`ssh tar -cz | gpg | upload`, as
// they have it), and the floor that nothing on this wire can be under (`ssh tar | zstd`). gpg's own compression is
// off, for the stream is compressed already: an operator who knows gpg does the same.

import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed, BedLane } from '../bed/bed.ts';
import type { BedHost } from '../bed/bed-types.ts';
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
  readonly #host: BedHost;
  readonly #launchctl: string;
  readonly #upload: Upload;

  constructor(bed: Bed, lane: BedLane, dir: string, upload: Upload) {
    const host = bed.host(lane.host);
    this.#dir = dir;
    this.#lane = lane;
    this.#upload = upload;
    this.#host = host;
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

  /**
   * As the procedure has it: job unloaded and no process left, tree moved away, unpacked, tokens back into the Keychain, job
   * loaded, health awaited, one message answered, the disk looked at.
   */
  scriptRestore(): Promise<PeerRun> {
    const { home, plist, port } = this.#lane;
    const away = `for tree in .openclaw workspace; do mv ${home}/$tree ${home}/$tree.script.bak; done`;
    const stop = `${this.#launchctl} unload ${plist}; while ${this.#tool('pgrep')} -lf openclaw; do sleep 0.2; done`;
    const unpack = `{ ${stop}; } >/dev/null; ${away}; tar -xz -C ${home}`;
    const start = `${this.#launchctl} load ${plist}; until curl -fs http://127.0.0.1:${port}/health; do sleep 0.2; done`;
    const fetch = `${this.#aws(`cp ${this.#object} -`)} | ${this.#gpg('--decrypt')}`;
    const secrets = `${this.#ssh} '${this.#asLane(`${this.#tool('security')} -i`)}' <${this.#secretsFile()}`;
    const message = `${this.#ssh} 'curl -fs -K -; df -Pk ${home}' <${this.#messageFile()} | grep -q choices`;
    return this.#run(
      `${fetch} | ${this.#ssh} '${unpack}' && ${secrets} && ${this.#ssh} '${start}' >/dev/null && ${message}`,
    );
  }

  /** Removes what the script moved away. */
  tidy(): void {
    for (const tree of ['.openclaw', 'workspace'])
      rmSync(join(this.#lane.realHome, `${tree}.script.bak`), { recursive: true, force: true });
  }

  #tool(name: string): string {
    return this.#host.tools[name] ?? name;
  }

  #asLane(command: string): string {
    return `${this.#tool('sudo')} -n -H -u ${this.#lane.user} -- ${command}`;
  }

  /** The operators' Keychain export, as lines for `security -i`. */
  #secretsFile(): string {
    const { secrets, values, keychain } = this.#lane;
    const lines = secrets.map(({ service, account }) => {
      const value = values[service]?.toString('hex') ?? '';
      return `add-generic-password -U -a "${account}" -s "${service}" -X ${value} "${keychain}"\n`;
    });
    return this.#file('secrets', lines.join(''));
  }

  /** A curl configuration, so that the token is on no command line. */
  #messageFile(): string {
    const { values, messageToken, port } = this.#lane;
    const body = JSON.stringify({ model: 'openclaw/default', messages: [{ role: 'user', content: 'back again?' }] });
    const lines = [
      `url = "http://127.0.0.1:${port}/v1/chat/completions"`,
      `header = "Authorization: Bearer ${values[messageToken.service]?.toString('utf8') ?? ''}"`,
      'header = "content-type: application/json"',
      `data = ${JSON.stringify(body)}`,
    ];
    return this.#file('message', `${lines.join('\n')}\n`);
  }

  #file(name: string, content: string): string {
    const path = join(this.#dir, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
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
