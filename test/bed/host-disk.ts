// Makes a host's disk: the folders of a Mac, the programs, the lanes' homes, keychains and plists.

import {
  chownSync,
  chmodSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'plist';
import { type HostPlan, hostPath } from './host-plan.ts';
import { plantLaneData } from './lane-data.ts';
import { gatewayConfig, keychainName, launchdPlist, type LanePlan, openclawVersions } from './lane-plan.ts';
import { byNode, daemonClient, installScript, openclaw, passThrough, pgrepStandIn, sudoStandIn } from './shims.ts';
import { Keychains } from './stand-ins/keychains.ts';

/** The folders of a Mac that a lane's life touches; /var, /tmp and /etc are links into /private, as there. */
export function makeDisk(plan: HostPlan): void {
  for (const folder of [
    'Users',
    'Library/LaunchDaemons',
    'private/var/log',
    'private/var/root',
    'private/var/run',
    'private/var/db/timezone/zoneinfo/Asia',
    'private/etc',
    'private/tmp',
  ]) {
    mkdirSync(join(plan.realRoot, folder), { recursive: true, mode: 0o755 });
  }
  for (const name of ['var', 'tmp', 'etc']) symlinkSync(`private/${name}`, join(plan.realRoot, name));
  symlinkSync('/var/db/timezone/zoneinfo/Asia/Hong_Kong', join(plan.realRoot, 'private/etc/localtime'));
  chmodSync(join(plan.realRoot, 'private/tmp'), 0o1777);
  chmodSync(join(plan.realRoot, 'private/var/root'), 0o700);
  writeFileSync(join(plan.realRoot, 'private/var/log/openclaw-backup.log'), '');
  for (const user of [plan.login, ...plan.lanes])
    if (!plan.unmade.some(({ name }) => name === user.name)) makeHome(plan, user);
}

function makeHome(plan: HostPlan, user: { name: string; uid: number; gid: number }): string {
  const home = join(plan.realRoot, 'Users', user.name);
  mkdirSync(home, { recursive: true, mode: 0o750 });
  give(plan, home, user);
  return home;
}

/** Ownership, where users are real. */
function give(plan: HostPlan, path: string, user: { uid: number; gid: number }): void {
  if (plan.kind === 'namespaces') chownSync(path, user.uid, user.gid);
}

function giveTree(plan: HostPlan, folder: string, user: { uid: number; gid: number }): void {
  if (plan.kind !== 'namespaces') return;
  lchownSync(folder, user.uid, user.gid);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) giveTree(plan, path, user);
    else lchownSync(path, user.uid, user.gid);
  }
}

/** Everything of one lane: home, tree, keychain (locked), plist. */
export function makeLane(plan: HostPlan, lane: LanePlan, options: { dataBytes: number; chatterMs: number }): void {
  const home = makeHome(plan, { name: lane.user, uid: lane.uid, gid: lane.gid });
  const state = join(home, '.openclaw');
  writePrivate(
    join(state, lane.profile === 'slimvps-legacy' ? 'config/openclaw.json' : 'openclaw.json'),
    `${JSON.stringify(gatewayConfig(lane, options.chatterMs), undefined, 2)}\n`,
  );
  writePrivate(join(state, 'version'), `${openclawVersions[lane.profile]}\n`);
  plantLaneData({ home, profile: lane.profile, bytes: options.dataBytes, seed: lane.lane });
  mkdirSync(join(home, 'Library/Logs/openclaw'), { recursive: true, mode: 0o700 });
  makeKeychain(join(home, keychainName), lane);
  giveTree(plan, home, lane);
  makePlist(plan, lane);
}

function writePrivate(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, content, { mode: 0o600 });
}

function makeKeychain(path: string, lane: LanePlan): void {
  const keychains = new Keychains();
  keychains.create(path, lane.keychainPassword, lane.uid);
  for (const item of lane.secrets)
    keychains.add(path, { ...item, label: item.service }, lane.values[item.service] ?? Buffer.alloc(0), false);
}

function makePlist(plan: HostPlan, lane: LanePlan): void {
  const path = join(plan.realRoot, 'Library/LaunchDaemons', `${lane.label}.plist`);
  writeFileSync(path, build(launchdPlist(lane)), { mode: 0o644 });
  chmodSync(path, 0o644);
}

/** Programs of the host: the gateway, and the stand-ins where a Mac has its own. */
export function installPrograms(plan: HostPlan): void {
  const system = (path: string): string => join(plan.systemRoot, path);
  installScript(system('/usr/local/bin/openclaw'), openclaw(plan));
  installModule('gateway.ts', system('/usr/local/lib/openclaw/gateway.mjs'));
  installModule('stand-ins/gateway-command.ts', system('/usr/local/lib/openclaw/command.mjs'));
  writeFileSync(system('/usr/local/lib/openclaw/version'), `${openclawVersions[plan.profile]}\n`);
  for (const name of nodeTools) installModule(`stand-ins/${name}.ts`, system(`/usr/local/lib/bed/${name}.mjs`));
  for (const [tool, text] of Object.entries(toolTexts(plan))) {
    const path = plan.toolsDir === undefined ? system(`/usr/bin/${tool}`) : join(plan.toolsDir, tool);
    installScript(path, text);
  }
}

/** One of our files as plain JavaScript: a host starts it without this repository, and faster. */
function installModule(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, withoutTypes(readFileSync(join(import.meta.dirname, source), 'utf8')), { mode: 0o644 });
}

/** Node calls this experimental and says so once in every process; the demo's output is not the place for it. */
function withoutTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The texts of the tools by name. Where the users are real, sudo and pgrep are the machine's own. */
function toolTexts(plan: HostPlan): Record<string, string> {
  const { programs } = plan;
  const standIns = { launchctl: daemonClient('launchctl', plan), security: daemonClient('security', plan) };
  const tar = passThrough('tar', programs.bsdtar ?? programs.tar ?? '/usr/bin/tar');
  const ours = Object.fromEntries(nodeTools.map((tool) => [tool, realOrOurs(plan, tool)]));
  if (plan.kind !== 'namespaces')
    return { ...standIns, ...ours, tar, sudo: sudoStandIn(plan), pgrep: pgrepStandIn(plan), openclaw: openclaw(plan) };
  const missing = Object.entries(ours).filter(([tool]) => programs[tool as (typeof nodeTools)[number]] === undefined);
  return { ...standIns, ...Object.fromEntries(missing), ...(programs.bsdtar === undefined ? {} : { tar }) };
}

/** What a bare machine may lack and Node can do. */
const nodeTools = ['sqlite3', 'curl', 'ps'] as const;

function realOrOurs(plan: HostPlan, tool: (typeof nodeTools)[number]): string {
  const program = plan.programs[tool];
  return program === undefined
    ? byNode(tool, plan, hostPath(plan, `/usr/local/lib/bed/${tool}.mjs`))
    : passThrough(tool, program);
}
