// Loaded before the real worker (`node --import …/faulty-worker.ts src/worker.ts …`): every worker that it makes asks
// the fault folder before it runs an activity. Nothing in src knows of it, so what is tested is what is shipped.

import { mkdirSync, readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { type ActivityInboundCallsInterceptor, Worker, type WorkerOptions } from '@temporalio/worker';
import { type ArmedFault, type Fired, paths } from './fault-folder.ts';

const dir = process.env['CLAWBACK_FAULTS'] ?? '';
const beatMs = 2_000;

const createWorker = Worker.create.bind(Worker);
Worker.create = (options: WorkerOptions): Promise<Worker> => {
  const activity = [...(options.interceptors?.activity ?? []), () => ({ inbound: faulty })];
  return createWorker({ ...options, interceptors: { ...options.interceptors, activity } });
};

const faulty: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    const fault = take();
    if (!fault) return next(input);
    if (fault.when === 'before') await happen(fault);
    const body = next(input);
    body.catch(() => undefined);
    if (fault.when === 'during') {
      await Promise.race([body.catch(() => undefined), sleep(fault.delayMs ?? 0)]);
      await happen(fault);
    }
    const result = await body;
    if (fault.when === 'after') await happen(fault);
    return result;
  },
};

/** The armed fault that this call is to meet. */
function take(): ArmedFault | undefined {
  const { info } = Context.current();
  const names = readdirSync(paths.armed(dir)).filter((name) => name.endsWith('.json'));
  for (const name of names.toSorted()) {
    const fault = JSON.parse(readFileSync(join(paths.armed(dir), name), 'utf8')) as ArmedFault;
    const fits =
      fault.activity === info.activityType && (info.workflowExecution?.workflowId ?? '').startsWith(fault.workflow);
    if (fits && countCall(fault) === fault.call) return fault;
  }
  return undefined;
}

/** Counted over all workers: a call's number is the first whose folder can still be made. */
function countCall(fault: ArmedFault): number {
  for (let call = 1; ; call += 1) {
    try {
      mkdirSync(paths.call(dir, fault.id, call));
      return call;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

async function happen(fault: ArmedFault): Promise<void> {
  const { info } = Context.current();
  const fired: Fired = { pid: process.pid, atMs: Date.now(), attempt: info.attempt };
  writeFileSync(paths.taken(dir, fault.id), JSON.stringify(fired));
  switch (fault.action) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return;
    case 'fail':
      throw ApplicationFailure.create({
        type: fault.code ?? 'Unexpected',
        message: `planted at ${fault.activity}`,
        nonRetryable: true,
      });
    case 'pause':
      await untilReleased(fault);
  }
}

/** Stands still as a slow step does: it goes on beating, and cancellation ends it. */
async function untilReleased(fault: ArmedFault): Promise<void> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), beatMs);
  try {
    while (!existsSync(paths.released(dir, fault.id))) await Promise.race([sleep(20), context.cancelled]);
  } finally {
    clearInterval(beat);
  }
}
