// launchctl's verbs, texts and exit statuses as macos-notes.md, sections 1 and 9, has them: load and unload exit 0
// even when they failed, bootout is asynchronous, 5 is the answer to nearly everything.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from './job.ts';
import type { Launchd } from './launchd.ts';
import { type Call, fail, ok, type Reply } from './reply.ts';

const meanings: Readonly<Record<number, string>> = {
  1: 'Operation not permitted',
  3: 'No such process',
  5: 'Input/output error',
  36: 'Operation now in progress',
  37: 'Operation already in progress',
  113: 'Could not find specified service',
  119: 'Service is disabled',
  125: 'Domain does not support specified action',
};

type Verb = (launchd: Launchd, args: readonly string[], uid: number) => Reply;

const verbs: Readonly<Record<string, Verb>> = {
  bootstrap: (launchd, args, uid) => bootstrap(launchd, args, uid),
  bootout: (launchd, args, uid) => bootout(launchd, args, uid),
  print: (launchd, args) => print(launchd, args),
  'print-disabled': (launchd, args) => printDisabled(launchd, args),
  kickstart: (launchd, args, uid) => kickstart(launchd, args, uid),
  kill: (launchd, args, uid) => killJob(launchd, args, uid),
  enable: (launchd, args, uid) => override(launchd, args, uid, false),
  disable: (launchd, args, uid) => override(launchd, args, uid, true),
  list: (launchd, args, uid) => list(launchd, args, uid),
  load: (launchd, args, uid) => legacy(launchd, args, uid, 'load'),
  unload: (launchd, args, uid) => legacy(launchd, args, uid, 'unload'),
  error: (_launchd, args) => ok(`${args[0]}: ${meanings[Number(args[0])] ?? 'unknown error code'}\n`),
};

/** Runs one command line of launchctl. */
export function launchctl(launchd: Launchd, call: Call): Reply {
  const [name = '', ...args] = call.argv;
  const verb = verbs[name];
  if (verb === undefined) return usage(`Unrecognized subcommand: ${name}`);
  return verb(launchd, args, call.uid);
}

function usage(line: string): Reply {
  return fail(64, `${line}\nUsage: launchctl <subcommand> ... | help [subcommand]\n`);
}

function refused(action: 'Bootstrap' | 'Boot-out', code: number, uid: number): Reply {
  const advice = code === 5 && uid !== 0 ? 'Try re-running the command as root for richer errors.\n' : '';
  return fail(code, `${action} failed: ${code}: ${meanings[code]}\n${advice}`);
}

/** `system/label`, `gui/501/label` → domain and label. */
function splitTarget(target: string): { domain: string; label: string } {
  const parts = target.split('/');
  const size = parts[0] === 'system' ? 1 : 2;
  return { domain: parts.slice(0, size).join('/'), label: parts.slice(size).join('/') };
}

function mayChange(domain: string, uid: number): boolean {
  return uid === 0 || domain === `gui/${uid}`;
}

function bootstrap(launchd: Launchd, args: readonly string[], uid: number): Reply {
  const [domain, ...paths] = args;
  if (domain === undefined || paths.length === 0)
    return usage('Usage: launchctl bootstrap <domain-target> [service-path, ...]');
  if (!launchd.hasDomain(domain)) return refused('Bootstrap', 125, uid);
  for (const path of paths) {
    const code = bootstrapCode(launchd, { domain, path, uid });
    if (code !== 0) return refused('Bootstrap', code, uid);
  }
  return ok();
}

function bootstrapCode(launchd: Launchd, ask: { domain: string; path: string; uid: number }): number {
  if (!mayChange(ask.domain, ask.uid)) return 5;
  const plist = launchd.read(ask.path);
  if ('refused' in plist) {
    launchd.log(plist.refused);
    return 5;
  }
  const target = `${ask.domain}/${plist.label}`;
  if (launchd.isDisabled(ask.domain, plist.label, plist.disabled)) return ask.uid === 0 ? 119 : 5;
  if (launchd.isTearingDown(target)) return 37;
  if (launchd.find(target) !== undefined) return 5;
  launchd.load(ask.domain, plist);
  return 0;
}

function bootout(launchd: Launchd, args: readonly string[], uid: number): Reply {
  const option = args.find((arg) => arg.startsWith('-'));
  if (option !== undefined || args.length === 0) return usage(`Unrecognized option: ${option ?? ''}`);
  const { domain, label } = bootoutTarget(launchd, args);
  if (!launchd.hasDomain(domain)) return refused('Boot-out', 125, uid);
  if (!mayChange(domain, uid)) return refused('Boot-out', 5, uid);
  const job = launchd.find(`${domain}/${label}`);
  if (job === undefined) return refused('Boot-out', 3, uid);
  if (job.removing) return refused('Boot-out', 36, uid);
  job.remove();
  return ok();
}

/** `bootout system/label`, or `bootout system /path/to.plist`. */
function bootoutTarget(launchd: Launchd, args: readonly string[]): { domain: string; label: string } {
  const path = args[1];
  if (path === undefined) return splitTarget(args[0] ?? '');
  const plist = launchd.read(path);
  return { domain: args[0] ?? '', label: 'refused' in plist ? '' : plist.label };
}

function notFound(domain: string, label: string, before = ''): Reply {
  const place = domain === 'system' ? 'system' : domain.replace('gui/', 'user gui: ');
  return fail(113, `${before}Could not find service "${label}" in domain for ${place}\n`);
}

function noDomain(domain: string): Reply {
  return fail(125, `Bad request.\nCould not find domain for ${domain.replace('gui/', 'user gui: ')}\n`);
}

function print(launchd: Launchd, args: readonly string[]): Reply {
  const { domain, label } = splitTarget(args[0] ?? '');
  if (!launchd.hasDomain(domain)) return noDomain(domain);
  if (label === '') return ok(printDomain(launchd, domain));
  const job = launchd.find(`${domain}/${label}`);
  if (job === undefined) return notFound(domain, label, 'Bad request.\n');
  return ok(printJob(domain, job));
}

function printDomain(launchd: Launchd, domain: string): string {
  const rows = launchd
    .jobs(domain)
    .map((job) => `\t\t${String(job.pid ?? 0).padStart(8)}\t${job.lastExit ?? '-'}\t${job.plist.label}\n`);
  return `${domain} = {\n\ttype = ${domain === 'system' ? 'system' : 'login'}\n\tservices = {\n${rows.join('')}\t}\n}\n`;
}

function printJob(domain: string, job: Job): string {
  const { plist } = job;
  return [
    `${domain}/${plist.label} = {`,
    `\tactive count = ${job.pid === undefined ? 0 : 1}`,
    `\tpath = ${plist.path}`,
    `\ttype = ${domain === 'system' ? 'LaunchDaemon' : 'LaunchAgent'}`,
    `\tstate = ${job.state}`,
    '',
    `\tprogram = ${plist.argv[0]}`,
    '\targuments = {',
    ...plist.argv.map((arg) => `\t\t${arg}`),
    '\t}',
    '',
    `\tstdout path = ${plist.stdoutPath ?? '/dev/null'}`,
    `\tdomain = ${domain}`,
    ...(plist.userName === undefined ? [] : [`\tusername = ${plist.userName}`]),
    `\tminimum runtime = ${plist.throttleMs / 1000}`,
    `\texit timeout = ${plist.exitTimeOutMs / 1000}`,
    `\truns = ${job.runs}`,
    ...(job.pid === undefined ? [] : [`\tpid = ${job.pid}`]),
    `\tlast exit code = ${job.lastExit ?? '(never exited)'}`,
    '',
    // a nested block with a state of its own, as a real print has: only one tab of indent counts
    '\tresource coalition = {',
    '\t\tID = 1021',
    '\t\tstate = active',
    '\t\tactive count = 1',
    '\t}',
    '',
    `\tproperties = ${plist.keepAlive === 'never' ? '' : 'keepalive | '}${plist.runAtLoad ? 'runatload | ' : ''}inferred program`,
    '}',
    '',
  ].join('\n');
}

function printDisabled(launchd: Launchd, args: readonly string[]): Reply {
  const domain = args[0] ?? '';
  if (!launchd.hasDomain(domain)) return noDomain(domain);
  const rows = Object.entries(launchd.overrides(domain)).map(
    ([label, disabled]) => `\t\t"${label}" => ${disabled ? 'disabled' : 'enabled'}\n`,
  );
  return ok(`\n\tdisabled services = {\n${rows.join('')}\t}\n\tlogin item associations = {\n\t}\n`);
}

function kickstart(launchd: Launchd, args: readonly string[], uid: number): Reply {
  const { domain, label } = splitTarget(args.find((arg) => !arg.startsWith('-')) ?? '');
  if (!launchd.hasDomain(domain)) return noDomain(domain);
  const job = launchd.find(`${domain}/${label}`);
  if (job === undefined) return notFound(domain, label);
  if (!mayChange(domain, uid)) return fail(1, `Could not kickstart service "${label}": 1: ${meanings[1]}\n`);
  if (args.some((arg) => /^-\w*k/.test(arg))) job.restart();
  else job.start();
  return ok(args.some((arg) => /^-\w*p/.test(arg)) ? `${job.pid ?? ''}\n` : '');
}

function killJob(launchd: Launchd, args: readonly string[], uid: number): Reply {
  const [signal = '', target = ''] = args;
  const { domain, label } = splitTarget(target);
  const job = launchd.find(`${domain}/${label}`);
  if (job === undefined) return notFound(domain, label);
  if (!mayChange(domain, uid)) return fail(1, `Could not signal service: 1: ${meanings[1]}\n`);
  job.signal(`SIG${signal.replace(/^SIG/, '')}` as NodeJS.Signals);
  return ok();
}

function override(launchd: Launchd, args: readonly string[], uid: number, disabled: boolean): Reply {
  const { domain, label } = splitTarget(args[0] ?? '');
  if (label === '') return usage(`Usage: launchctl ${disabled ? 'disable' : 'enable'} <service-target>`);
  if (!mayChange(domain, uid))
    return fail(1, `Could not ${disabled ? 'disable' : 'enable'} service: 1: ${meanings[1]}\n`);
  launchd.setDisabled(domain, label, disabled);
  return ok();
}

function list(launchd: Launchd, args: readonly string[], uid: number): Reply {
  // a plain user sees its own domain, where the bed has nothing
  const jobs = uid === 0 ? launchd.jobs('system') : launchd.jobs(`gui/${uid}`);
  if (args[0] === undefined)
    return ok(
      `PID\tStatus\tLabel\n${jobs.map((job) => `${job.pid ?? '-'}\t${job.lastExit ?? 0}\t${job.plist.label}\n`).join('')}`,
    );
  const job = jobs.find((one) => one.plist.label === args[0]);
  if (job === undefined) return notFound('system', args[0]);
  const pid = job.pid === undefined ? '' : `\t"PID" = ${job.pid};\n`;
  return ok(
    `{\n\t"Label" = "${job.plist.label}";\n\t"LastExitStatus" = ${job.lastExit ?? 0};\n${pid}\t"Program" = "${job.plist.argv[0]}";\n};\n`,
  );
}

/** load and unload: exit 0 whatever happens; only stderr tells. */
function legacy(launchd: Launchd, args: readonly string[], uid: number, verb: 'load' | 'unload'): Reply {
  const options = args.filter((arg) => arg.startsWith('-'));
  const paths = args.filter((arg) => !arg.startsWith('-')).flatMap((path) => plistsAt(launchd, path));
  if (paths.length === 0) return fail(64, `Usage: launchctl ${verb} [-wF] <service-path> ...\n`);
  const persist = options.some((option) => option.includes('w'));
  const lines = paths.map((path) =>
    verb === 'load' ? loadOne(launchd, path, uid, persist) : unloadOne(launchd, path, uid, persist),
  );
  return { status: 0, stdout: '', stderr: lines.join('') };
}

function plistsAt(launchd: Launchd, path: string): string[] {
  const place = launchd.place(path);
  if (!existsSync(place) || !statSync(place).isDirectory()) return [path];
  return readdirSync(place)
    .filter((name) => name.endsWith('.plist'))
    .map((name) => join(path, name));
}

function loadOne(launchd: Launchd, path: string, uid: number, persist: boolean): string {
  const agent = uid === 0 && path.includes('/LaunchAgents/');
  const warning = agent
    ? 'Warning: Expecting a LaunchDaemons path since the command was ran as root. Got LaunchAgents instead.\n'
    : '';
  const plist = launchd.read(path);
  if (persist && uid === 0 && !('refused' in plist)) launchd.setDisabled('system', plist.label, false);
  const code = agent ? 5 : bootstrapCode(launchd, { domain: 'system', path, uid });
  return (
    warning +
    (code === 0
      ? ''
      : `Load failed: 5: ${meanings[5]}\nTry running \`launchctl bootstrap\` as root for richer errors.\n`)
  );
}

function unloadOne(launchd: Launchd, path: string, uid: number, persist: boolean): string {
  const plist = launchd.read(path);
  const label = 'refused' in plist ? '' : plist.label;
  if (persist && uid === 0 && label !== '') launchd.setDisabled('system', label, true);
  const reply = uid === 0 ? bootout(launchd, [`system/${label}`], uid) : fail(5, '');
  return reply.status === 0
    ? ''
    : `Unload failed: 5: ${meanings[5]}\nTry running \`launchctl bootout\` as root for richer errors.\n`;
}
