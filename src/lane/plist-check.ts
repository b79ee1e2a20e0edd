// What a launchd plist says, and whether it is the lane's: read before root writes it, for it comes from an archive.
// Pure. XML and binary form are read by the library `plist`; OpenStep's form, which launchd does not take, is refused.

import { type PlistValue, parse, parseBinary } from 'plist';
import { Failure } from '../domain/failure.ts';
import type { LaneTarget } from '../domain/lane-target.ts';
import { limits } from '../domain/limits.ts';

export type LaunchdPlist = Readonly<Record<string, PlistValue>>;

/** Groups whose members may act as root or write what root runs. */
const strongGroups = ['wheel', 'admin', 'root', 'sudo', '0'];

function invalid(lane: string, what: string): Failure {
  return new Failure('PlistInvalid', `the plist of lane ${lane} ${what}`, { lane });
}

/** @throws PlistInvalid when it is no dictionary in XML or binary form, or too large */
export function parsePlist(content: Buffer, lane: string): LaunchdPlist {
  if (content.length > limits.plistBytes)
    throw invalid(lane, `has ${content.length} bytes, ${limits.plistBytes} are allowed`);
  const isBinary = content.subarray(0, 8).toString('latin1') === 'bplist00';
  const text = content.toString('utf8');
  if (!isBinary && !(/^\uFEFF?\s*<(?:\?xml|!DOCTYPE|plist)/.test(text) && text.includes('<plist')))
    throw invalid(lane, 'is neither XML nor binary');
  let value: PlistValue;
  try {
    value = isBinary ? parseBinary(content) : parse(text);
  } catch (error) {
    throw new Failure('PlistInvalid', `the plist of lane ${lane} cannot be read`, { lane }, { cause: error });
  }
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    value instanceof Date ||
    value instanceof Uint8Array
  )
    throw invalid(lane, 'holds no dictionary');
  return value;
}

function wordsOf(plist: LaunchdPlist): PlistValue[] {
  const args = plist['ProgramArguments'];
  return [...(plist['Program'] === undefined ? [] : [plist['Program']]), ...(Array.isArray(args) ? args : [])];
}

/**
 * Is this a job of this lane: its label, run as its user, running OpenClaw by an absolute path?
 * @throws PlistInvalid saying which of them does not fit
 */
export function requireLanePlist(target: LaneTarget, plist: LaunchdPlist): void {
  const { lane, label, user, domain } = target;
  if (plist['Label'] !== label) throw invalid(lane, `has another label than ${label}`);
  const userName = plist['UserName'];
  if (userName === undefined ? domain === 'system' : userName !== user) throw invalid(lane, `does not run as ${user}`);
  const groupName = plist['GroupName'];
  if (groupName !== undefined && (typeof groupName !== 'string' || strongGroups.includes(groupName)))
    throw invalid(lane, 'runs with a group of administrators');
  const words = wordsOf(plist);
  const [program] = words;
  if (typeof program !== 'string' || !program.startsWith('/') || words.some((word) => typeof word !== 'string'))
    throw invalid(lane, 'names no program by an absolute path');
  if (!words.some((word) => typeof word === 'string' && word.includes('openclaw')))
    throw invalid(lane, 'runs something else than OpenClaw');
}
