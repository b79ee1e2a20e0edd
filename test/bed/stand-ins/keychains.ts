// Keychain files of one bed host: values are AES-256-GCM under a key that scrypt makes of the keychain's password,
// so that no clear text rests on a disk. Which keychains are open is held in memory only: after a reboot all are locked.

import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** OSStatus values of Security/base/SecBase.h. */
export const osStatus = {
  authFailed: -25293,
  noSuchKeychain: -25294,
  duplicateKeychain: -25296,
  duplicateItem: -25299,
  itemNotFound: -25300,
  interactionNotAllowed: -25308,
} as const;
export type OsStatusName = keyof typeof osStatus;

/** A keychain operation that failed, by its OSStatus. */
export class KeychainError extends Error {
  readonly status: OsStatusName;
  constructor(status: OsStatusName) {
    super(status);
    this.status = status;
  }
}

export interface KeychainRecord {
  readonly service: string;
  readonly account: string;
  readonly label: string;
  readonly secret: string;
}

interface KeychainFile {
  readonly format: 'clawback-bed-keychain';
  readonly salt: string;
  /** A sealed constant: tells a right password from a wrong one. */
  readonly proof: string;
  readonly items: readonly KeychainRecord[];
}

export interface ItemQuery {
  readonly service?: string | undefined;
  readonly account?: string | undefined;
}

/** 2^12 rounds take about 10 ms: enough for a bed, whose passwords are random. */
const scryptCost = { N: 4096 };
const proofText = Buffer.from('clawback bed keychain');

export class Keychains {
  readonly #keys = new Map<string, Buffer>();
  readonly #realUsers: boolean;

  /** @param realUsers another user's keychain file is none of the caller's */
  constructor(realUsers = false) {
    this.#realUsers = realUsers;
  }

  /** Throws `noSuchKeychain` when the caller's account could not read the file: homes are closed to others. */
  requireOwner(path: string, uid: number): void {
    if (!this.#realUsers || uid === 0 || !existsSync(path)) return;
    if (statSync(path).uid !== uid) throw new KeychainError('noSuchKeychain');
  }

  create(path: string, password: string, uid: number): void {
    if (existsSync(path)) throw new KeychainError('duplicateKeychain');
    const salt = randomBytes(16);
    const key = keyOf(password, salt);
    mkdirSync(dirname(path), { recursive: true });
    write(
      path,
      { format: 'clawback-bed-keychain', salt: salt.toString('base64'), proof: seal(key, proofText), items: [] },
      uid,
    );
    this.#keys.set(path, key);
  }

  delete(path: string): void {
    read(path);
    rmSync(path);
    this.#keys.delete(path);
  }

  unlock(path: string, password: string): void {
    const file = read(path);
    const key = keyOf(password, Buffer.from(file.salt, 'base64'));
    if (open(key, file.proof) === undefined) throw new KeychainError('authFailed');
    this.#keys.set(path, key);
  }

  lock(path: string): void {
    read(path);
    this.#keys.delete(path);
  }

  lockAll(): void {
    this.#keys.clear();
  }

  /** Throws `interactionNotAllowed` when the keychain is locked. */
  requireOpen(path: string): void {
    this.#keyOf(path, read(path));
  }

  add(path: string, item: Omit<KeychainRecord, 'secret'>, value: Buffer, update: boolean): void {
    const file = read(path);
    const key = this.#keyOf(path, file);
    const others = file.items.filter((one) => one.service !== item.service || one.account !== item.account);
    if (others.length < file.items.length && !update) throw new KeychainError('duplicateItem');
    write(path, { ...file, items: [...others, { ...item, secret: seal(key, value) }] });
  }

  /** Names are readable while locked, values are not. */
  find(path: string, query: ItemQuery): KeychainRecord {
    const found = read(path).items.find((item) => matches(item, query));
    if (found === undefined) throw new KeychainError('itemNotFound');
    return found;
  }

  value(path: string, item: KeychainRecord): Buffer {
    const value = open(this.#keyOf(path, read(path)), item.secret);
    if (value === undefined) throw new KeychainError('authFailed');
    return value;
  }

  remove(path: string, query: ItemQuery): KeychainRecord {
    const file = read(path);
    this.#keyOf(path, file);
    const found = this.find(path, query);
    write(path, {
      ...file,
      items: file.items.filter(
        (item) => item !== found && (item.service !== found.service || item.account !== found.account),
      ),
    });
    return found;
  }

  #keyOf(path: string, file: KeychainFile): Buffer {
    const key = this.#keys.get(path);
    if (key === undefined || open(key, file.proof) === undefined) throw new KeychainError('interactionNotAllowed');
    return key;
  }
}

function matches(item: KeychainRecord, query: ItemQuery): boolean {
  return (
    (query.service === undefined || item.service === query.service) &&
    (query.account === undefined || item.account === query.account)
  );
}

function keyOf(password: string, salt: Buffer): Buffer {
  return scryptSync(password, salt, 32, scryptCost);
}

function seal(key: Buffer, value: Buffer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([cipher.update(value), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

function open(key: Buffer, sealed: string): Buffer | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(bytes.subarray(12, 28));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function read(path: string): KeychainFile {
  if (!existsSync(path)) throw new KeychainError('noSuchKeychain');
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as KeychainFile;
    if (file.format === 'clawback-bed-keychain') return file;
  } catch {
    // not a keychain: below
  }
  throw new KeychainError('noSuchKeychain');
}

/** Whole or not at all, owned by whom it was owned, or by its maker. */
function write(path: string, file: KeychainFile, makerUid?: number): void {
  const next = `${path}.new`;
  const owner = existsSync(path) ? statSync(path) : undefined;
  writeFileSync(next, JSON.stringify(file), { mode: 0o600 });
  chmodSync(next, 0o600);
  if (process.getuid?.() === 0) {
    const folder = statSync(dirname(path));
    chownSync(next, owner?.uid ?? makerUid ?? folder.uid, owner?.gid ?? folder.gid);
  }
  renameSync(next, path);
}
