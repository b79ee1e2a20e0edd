import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { asUnexpected, GuardedDuplex } from '../../../src/bundle/guarded-duplex.ts';
import { openingKeyring } from '../../../src/bundle/keyrings.ts';
import { openingKeys } from '../../golden/keys.ts';

const rules = { translate: asUnexpected('testing') };

function failureOf(stream: GuardedDuplex): Promise<unknown> {
  stream.resume();
  return new Promise((resolve) => stream.once('error', resolve));
}

describe('a guarded stream', () => {
  it('translates the error of the stream inside, and keeps it as the cause', async () => {
    const inner = new PassThrough();
    const failure = failureOf(new GuardedDuplex(inner, rules));
    const cause = new Error('broken inside');
    inner.destroy(cause);
    expect(await failure).toMatchObject({ code: 'Unexpected', message: 'testing failed: broken inside', cause });
  });

  it('fails when the stream inside closes before its end', async () => {
    const inner = new PassThrough();
    const failure = failureOf(new GuardedDuplex(inner, rules));
    inner.destroy();
    expect(await failure).toMatchObject({ message: 'testing failed: closed before its end' });
  });

  it('fails when a write inside fails', async () => {
    const inner = new PassThrough({ transform: (_chunk, _encoding, done) => done(new Error('refused')) });
    const stream = new GuardedDuplex(inner, rules);
    const failure = failureOf(stream);
    stream.write('x');
    expect(await failure).toMatchObject({ message: 'testing failed: refused' });
  });

  it('releases nothing after it was destroyed', async () => {
    const inner = new PassThrough();
    const released: unknown[] = [];
    const stream = new GuardedDuplex(inner, {
      ...rules,
      release: (chunk) => released.push(chunk),
      abandon: (given) => void given.resume(),
    });
    stream.resume();
    stream.destroy();
    inner.end('late');
    await new Promise((resolve) => inner.once('end', resolve));
    expect(released).toEqual([]);
  });
});

describe('an opening keyring', () => {
  it('seals nothing', async () => {
    await expect(openingKeyring(openingKeys.vault)._onEncrypt({} as never)).rejects.toMatchObject({
      code: 'Unexpected',
    });
  });
});
