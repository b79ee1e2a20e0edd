import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { type Header, pack as packer } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IndexEntry, linkOf, pathOf } from '../../../src/bundle/index-file.ts';
import { type AuditOptions, type AuditResult, auditTar } from '../../../src/bundle/tar-audit.ts';
import { entry } from './entries.ts';
import { listed, makeTree, names, pack, removeTree, tars } from './real-tars.ts';
import { collect, pieces, through } from './streams.ts';

async function audit(tar: Buffer, options: AuditOptions, size?: number): Promise<AuditResult> {
  const { stream, result } = auditTar(options);
  const passed = await through(tar, stream, size);
  expect(passed.equals(tar)).toBe(true);
  return result();
}

const asList = (wanted: readonly (string | Buffer)[]): AuditOptions => ({
  expect: 'list',
  members: wanted.map((name) => entry(name)),
});
const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

type Fields = Partial<Header> & { readonly name: string };

/** An archive as tar-stream writes it, from whatever headers. */
async function archive(...members: readonly (readonly [Fields, string?])[]): Promise<Buffer> {
  const stream = packer();
  for (const [header, content] of members) stream.entry(header, content ?? '');
  stream.finalize();
  return collect(stream as unknown as AsyncIterable<Buffer>);
}

/** A header block of our own making, its checksum right. */
function block(name: string | Buffer, type: string, size = 0, more: { readonly link?: string } = {}): Buffer {
  const header = Buffer.alloc(512);
  Buffer.from(name as string).copy(header, 0, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(type, 156, 'latin1');
  header.write(more.link ?? '', 157);
  header.write('ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

const padded = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
};
const end = Buffer.alloc(1024);
const pax = (records: string | Buffer): Buffer =>
  Buffer.concat([block('pax', 'x', Buffer.byteLength(records)), padded(records)]);
const record = (text: string): string => {
  const length = text.length + 4;
  return `${String(length).padStart(2, '0')} ${text}\n`.replace(/^0/, '');
};

let root = '';
beforeAll(() => {
  root = makeTree();
});
afterAll(() => removeTree(root));

describe.each(Object.keys(tars) as (keyof typeof tars)[])('an archive of %s', (tool) => {
  it('passes unchanged in pieces of any size, and its index has every name as bytes', async () => {
    const tar = pack(tool, root);
    for (const size of [1, 511, 512, 1000, 65_536, tar.length]) {
      const { entries, missing } = await audit(tar, { expect: 'list', members: listed() }, size);
      expect(missing).toEqual([]);
      expect(entries.map(pathOf)).toEqual(names);
    }
  });

  it('is indexed with types, sizes, modes, times, links and digests', async () => {
    const { entries } = await audit(pack(tool, root), { expect: 'list', members: listed() });
    const named = (name: string): IndexEntry =>
      entries.find((one) => pathOf(one).toString('latin1') === name) as IndexEntry;
    expect(named('d/a')).toMatchObject({
      type: 'file',
      mode: 0o640,
      sizeBytes: 13,
      mtime: '1600000000250000000',
      sha256: sha256('content of a\n'),
    });
    expect(named('d/hard-link-of-a')).toMatchObject({ type: 'link', link: 'd/a' });
    expect(named('d/z-link-of-long')).toMatchObject({ type: 'link', link: (names[5] as Buffer).toString() });
    expect(named('d/symlink')).toMatchObject({ type: 'symlink', link: 'a' });
    expect(linkOf(named('d/symlink-alien'))).toEqual(Buffer.from([0x74, 0xfe]));
    expect(named('d')).toMatchObject({ type: 'directory', mode: 0o755 });
    expect(named('d/empty')).toMatchObject({ sizeBytes: 0, sha256: sha256('') });
    expect(named('d/sparse')).toMatchObject({ sizeBytes: 9_000_000, sparse: true });
    expect(entries.find((one) => one.pathBase64 !== undefined && pathOf(one).length === 10)).toMatchObject({
      sha256: sha256(names[1] as Buffer),
    });
  });

  it('is held to its index: the same archive passes, one without a member or with another content does not', async () => {
    const tar = pack(tool, root);
    const { entries } = await audit(tar, { expect: 'list', members: listed() });
    expect((await audit(tar, { expect: 'index', entries })).entries).toEqual(entries);
    await expect(audit(tar, { expect: 'index', entries: entries.slice(0, -1) })).rejects.toMatchObject({
      code: 'ArchiveHostile',
    });
    await expect(
      audit(tar, { expect: 'index', entries: [...entries, entries[0] as IndexEntry] }),
    ).rejects.toMatchObject({ code: 'BundleDamaged', message: expect.stringContaining('14 of 15') });
    for (const [at, change] of [
      [0, { sha256: '0'.repeat(64) }],
      [3, { mode: 0o777 }],
      [5, { sizeBytes: 99 }],
      [7, { sparse: undefined }],
      [8, { link: 'b' }],
      [9, { linkBase64: 'dP8=' }],
      [0, { mtime: '1' }],
    ] as const) {
      const other = entries.with(at, { ...(entries[at] as IndexEntry), ...(change as object) });
      await expect(audit(tar, { expect: 'index', entries: other })).rejects.toMatchObject({
        code: 'BundleDamaged',
        message: `member ${at + 1} of an archive is not what its index says`,
      });
    }
    const renamed = entries.with(1, {
      ...(entries[1] as IndexEntry),
      pathBase64: Buffer.concat([(names[1] as Buffer).subarray(0, -1), Buffer.of(0xfd)]).toString('base64'),
    });
    await expect(audit(tar, { expect: 'index', entries: renamed })).rejects.toMatchObject({ code: 'ArchiveHostile' });
  });

  it('tells what vanished since the listing, also between names that differ in one byte that is not UTF-8', async () => {
    const [, alien] = names as readonly [Buffer, Buffer];
    const twin = Buffer.concat([alien.subarray(0, -1), Buffer.of(0xfd)]);
    const list = [...names.slice(0, 1), twin, ...names.slice(1)];
    const { entries, missing } = await audit(pack(tool, root), { expect: 'list', members: listed(list) });
    expect(missing).toEqual([twin]);
    expect(entries.map(pathOf)).toEqual(names);
  });

  it('is refused when cut at any member, header or block, and inside its end mark', async () => {
    const tar = pack(tool, root, names.slice(0, 7));
    const content = tar.length - trailingZeros(tar);
    const mark = Math.ceil(content / 512) * 512 + 1024;
    const cuts = Array.from({ length: mark / 512 }, (_, at) => [at * 512, at * 512 + 1, at * 512 + 300]).flat();
    for (const cut of [...cuts, mark - 1, tar.length - 1]) {
      await expect(
        audit(tar.subarray(0, cut), { expect: 'list', members: listed() }),
        `cut at ${cut}`,
      ).rejects.toMatchObject({ code: 'BundleDamaged' });
    }
    expect((await audit(tar.subarray(0, mark), { expect: 'list', members: listed() })).entries).toHaveLength(7);
  });

  it('is refused with a byte turned in a header', async () => {
    const tar = pack(tool, root, names.slice(0, 2));
    for (const at of [0, 100, 124, 148, 156, 257]) {
      const changed = Buffer.from(tar);
      changed[at] = (changed[at] ?? 0) ^ 4;
      await expect(audit(changed, { expect: 'list', members: listed() })).rejects.toMatchObject({
        code: expect.stringMatching(/BundleDamaged|ArchiveHostile/),
      });
    }
  });
});

function trailingZeros(tar: Buffer): number {
  let count = 0;
  while (tar[tar.length - 1 - count] === 0) count++;
  return count;
}

describe('a hostile archive', () => {
  it.each<[string, () => Promise<Buffer>]>([
    ['an absolute name', () => archive([{ name: '/etc/passwd' }])],
    ['a name with ..', () => archive([{ name: 'a/../../b' }])],
    ['a name that is not in its simplest form', () => archive([{ name: './a' }])],
    ['a name with an empty part', () => archive([{ name: 'a//b' }])],
    ['an empty name', async () => Buffer.concat([block('', '0'), end])],
    ['a name that is too long', () => archive([{ name: 'x/'.repeat(2100) + 'y' }])],
    ['a device', () => archive([{ name: 'null', type: 'character-device' }])],
    ['a block device', () => archive([{ name: 'sda', type: 'block-device' }])],
    ['a fifo', () => archive([{ name: 'pipe', type: 'fifo' }])],
    ['a contiguous file', () => archive([{ name: 'c', type: 'contiguous-file' }])],
    ['an unknown type', async () => Buffer.concat([block('a', 'S'), end])],
    ['a symlink with content', async () => Buffer.concat([block('a', '2', 3, { link: 'x' }), padded('abc'), end])],
    ['a directory with content', async () => Buffer.concat([block('d', '5', 3), padded('abc'), end])],
    [
      'a hard link with content',
      async () => Buffer.concat([block('a', '0'), block('l', '1', 3, { link: 'a' }), padded('abc'), end]),
    ],
    ['a file whose name ends as a directory', async () => Buffer.concat([block('a/', '0'), end])],
    ['a hard link to nothing in the archive', () => archive([{ name: 'l', type: 'link', linkname: '/etc/passwd' }])],
    ['a hard link to itself', () => archive([{ name: 'l', type: 'link', linkname: 'l' }])],
    [
      'a hard link to a directory',
      () => archive([{ name: 'd', type: 'directory' }], [{ name: 'l', type: 'link', linkname: 'd' }]),
    ],
    [
      'a name through a symlink of the archive',
      () => archive([{ name: 's', type: 'symlink', linkname: '/etc' }], [{ name: 's/passwd' }]),
    ],
    ['a name through a file', () => archive([{ name: 'f' }], [{ name: 'f/a' }])],
    [
      'a symlink over the parent of others',
      () => archive([{ name: 'd/a' }], [{ name: 'd', type: 'symlink', linkname: '/etc' }]),
    ],
    ['the same name twice', () => archive([{ name: 'a' }], [{ name: 'a' }])],
    ['a global header', async () => Buffer.concat([block('g', 'g', 0), block('a', '0'), end])],
    [
      'two pax headers for one member',
      async () => Buffer.concat([pax(record('path=b')), pax(record('path=a')), block('a', '0'), end]),
    ],
    [
      'a repeated pax record',
      async () => Buffer.concat([pax(record('path=b') + record('path=a')), block('a', '0'), end]),
    ],
    ['a malformed pax record', async () => Buffer.concat([pax('12 path=b\n'), block('a', '0'), end])],
    ['a pax record without a key', async () => Buffer.concat([pax('7 path\n'), block('a', '0'), end])],
    ['a malformed time', async () => Buffer.concat([pax(record('mtime=x')), block('a', '0'), end])],
    ['a malformed size', async () => Buffer.concat([pax(record('size=1e3')), block('a', '0', 1), padded('x'), end])],
    ['a sparse file of format 0.1', async () => Buffer.concat([pax(record('GNU.sparse.map=0')), block('a', '0'), end])],
    ['a sparse file of star', async () => Buffer.concat([pax(record('SCHILY.realsize=9')), block('a', '0'), end])],
    ['a long header without a size', async () => Buffer.concat([longWithoutSize(), block('a', '0'), end])],
    ['a member behind the end mark', async () => Buffer.concat([block('a', '0'), end, block('b', '0'), end])],
    [
      'a member behind one block of zeros',
      async () => Buffer.concat([block('a', '0'), Buffer.alloc(512), block('b', '0'), end]),
    ],
    [
      'headers without end',
      async () => Buffer.concat([block('x', 'x', 90_000), Buffer.alloc(90_112, 0x20), block('a', '0'), end]),
    ],
  ])('with %s is refused, in one piece or in many, and names no file', async (_what, make) => {
    const tar = await make();
    const everything = {
      expect: 'list',
      members: listed(
        [
          'a',
          'b',
          'c',
          'd',
          'd/a',
          'f',
          'f/a',
          'g',
          'l',
          's',
          's/passwd',
          'null',
          'sda',
          'pipe',
          '',
          '/etc/passwd',
        ].map((name) => Buffer.from(name)),
      ),
    } as const;
    for (const size of [512, 65_536, 200_000]) {
      const refusal = await audit(tar, everything, size).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'ArchiveHostile' });
      expect((refusal as Error).message).not.toMatch(/passwd|etc/);
    }
  });

  it('with a member that nobody asked for is refused, an AppleDouble twin too', async () => {
    for (const name of ['x', '._a']) {
      await expect(audit(await archive([{ name }], [{ name: 'a' }]), asList(['a']))).rejects.toMatchObject({
        code: 'ArchiveHostile',
        message: expect.stringContaining('not asked for'),
      });
    }
    await expect(audit(await archive([{ name: 'b' }], [{ name: 'a' }]), asList(['a', 'b']))).rejects.toMatchObject({
      message: expect.stringContaining('another order'),
    });
  });

  it('with bytes behind the end mark is refused', async () => {
    for (const size of [512, 512 * 3, 65_536]) {
      await expect(
        audit(Buffer.concat([block('a', '0'), end, Buffer.alloc(512, 1)]), asList(['a']), size),
      ).rejects.toMatchObject({ code: expect.stringMatching(/BundleDamaged|ArchiveHostile/) });
    }
  });

  it('of a name that its two readers would read differently is refused', async () => {
    const sneaky = Buffer.concat([pax('15 path=b\0cdef\n'), block('a', '0'), end]);
    await expect(audit(sneaky, asList(['a', 'b']))).rejects.toMatchObject({ code: 'ArchiveHostile' });
  });
});

function longWithoutSize(): Buffer {
  const header = block('L', 'L', 0);
  header.fill(' ', 124, 136);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

describe('an archive of other honest tars', () => {
  it('may have long names and links in GNU form, an ustar prefix, times before 1970, and no pax at all', async () => {
    const long = `${'x'.repeat(90)}/${'y'.repeat(90)}`;
    const gnu = Buffer.concat([
      block('././@LongLink', 'L', long.length + 1),
      padded(`${long}\0`),
      block('cut', '0', 3),
      padded('abc'),
      block('././@LongLink', 'K', long.length + 1),
      padded(`${long}\0`),
      block('link', '1', 0, { link: 'cut' }),
      pax(record('mtime=-1.5')),
      block('old', '0'),
      end,
    ]);
    const { entries } = await audit(gnu, asList([long, 'link', 'old']));
    expect(entries).toMatchObject([
      { path: long, sha256: sha256('abc') },
      { path: 'link', link: long },
      { path: 'old', mtime: '-1500000000' },
    ]);
    const ustar = await archive([{ name: long, mtime: new Date(5000) }, 'z']);
    expect((await audit(ustar, asList([long]))).entries).toMatchObject([
      { path: long, mtime: '5000000000', sizeBytes: 1 },
    ]);
  });

  it('may say a size in a pax record', async () => {
    const tar = Buffer.concat([pax(record('size=3')), block('a', '0', 3), padded('abc'), end]);
    expect((await audit(tar, asList(['a']))).entries).toMatchObject([{ sizeBytes: 3, sha256: sha256('abc') }]);
  });

  it('may have content full of zero blocks', async () => {
    const zeros = '\0'.repeat(5000);
    const { entries } = await audit(
      await archive([{ name: 'z' }, zeros], [{ name: 'zz' }, zeros]),
      asList(['z', 'zz']),
      512,
    );
    expect(entries.map((one) => one.sha256)).toEqual([sha256(zeros), sha256(zeros)]);
  });

  it('may be empty', async () => {
    expect(await audit(end, asList(['gone']))).toEqual({ entries: [], missing: [Buffer.from('gone')] });
  });

  it('passes whatever it holds, and its index agrees with its content', async () => {
    const file = fc.tuple(fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,3})?$/), fc.string({ maxLength: 2000 }));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(file, { selector: ([name]) => name.split('/')[0] ?? '', maxLength: 8 }),
        fc.integer({ min: 1, max: 3000 }),
        async (files, size) => {
          const tar = await archive(...files.map(([name, content]) => [{ name }, content] as const));
          const { entries } = await audit(tar, asList(files.map(([name]) => name)), size);
          expect(entries.map(({ path, sha256: digest }) => [path, digest])).toEqual(
            files.map(([name, content]) => [name, sha256(content)]),
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('an audit', () => {
  it('gives no result before the end', () => {
    expect(() => auditTar(asList([])).result()).toThrow('before its end');
  });

  it('keeps backpressure and memory: a large member passes in pieces, held back by its reader', async () => {
    const size = 64 * 1024 * 1024;
    let given = 0;
    const source = Readable.from(
      (function* () {
        yield block('big', '0', size);
        for (; given < size; given += 65_536) yield Buffer.alloc(65_536, 1);
        yield end;
      })(),
      { objectMode: false },
    );
    const { stream, result } = auditTar(asList(['big']));
    source.pipe(stream);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(given).toBeLessThan(1024 * 1024);
    let passed = 0;
    for await (const chunk of stream) passed += (chunk as Buffer).length;
    expect(passed).toBe(512 + size + 1024);
    expect(result().entries).toMatchObject([{ sizeBytes: size }]);
  });

  it('can be given up in the middle of a member', async () => {
    const { stream } = auditTar(asList(['big']));
    stream.write(block('big', '0', 100_000));
    stream.write(Buffer.alloc(1000));
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.destroy();
    await closed;
    expect(stream.destroyed).toBe(true);
  });

  it('passes on the error of its source', async () => {
    const { stream } = auditTar(asList(['a']));
    const broken = pieces(block('a', '0', 5000));
    broken.once('end', () => stream.destroy(new Error('cut off')));
    broken.pipe(stream, { end: false });
    await expect(collect(stream as unknown as AsyncIterable<Buffer>)).rejects.toThrow('cut off');
  });
});
