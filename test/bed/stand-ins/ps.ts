// Stands in for ps where a machine has none (Linux containers without procps): columns by -o, processes by -p or all.

import { readdirSync, readFileSync } from 'node:fs';

const columns: string[] = [];
let pids: number[] | undefined;
let withEnvironment = false;

const args = process.argv.slice(2);
for (let at = 0; at < args.length; at += 1) {
  const arg = args[at] ?? '';
  if (arg === '-o') columns.push(...(args[++at] ?? '').split(',').map((name) => name.replace(/=.*$/, '')));
  else if (arg === '-p') pids = (args[++at] ?? '').split(',').map(Number);
  else if (!arg.startsWith('-') && arg.includes('e')) withEnvironment = true;
}

function words(pid: number, file: 'cmdline' | 'environ'): string {
  return readFileSync(`/proc/${pid}/${file}`, 'latin1').replaceAll('\0', ' ').trimEnd();
}

function row(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = words(pid, 'cmdline') || `[${name}]`;
    const environment = withEnvironment ? ` ${words(pid, 'environ')}` : '';
    const values: Readonly<Record<string, string>> = {
      pid: String(pid),
      stat: fields[0] ?? '',
      state: fields[0] ?? '',
      ppid: fields[1] ?? '',
      pgid: fields[2] ?? '',
      lstart: fields[19] ?? '',
      comm: name,
      args: command + environment,
      command: command + environment,
    };
    return columns.map((column) => values[column] ?? '-').join(' ');
  } catch {
    return undefined;
  }
}

const all =
  pids ??
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
const lines = all.map(row).filter((line) => line !== undefined);
process.stdout.write(lines.map((line) => `${line}\n`).join(''), 'latin1');
process.exitCode = lines.length > 0 ? 0 : 1;
