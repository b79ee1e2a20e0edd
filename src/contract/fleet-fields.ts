// The single fields of fleet.yaml: which texts and numbers they take, and how a wrong one is refused. A title is how
// docs/fleet.md calls the type.

import { z } from 'zod';
import { lanePattern } from '../domain/terms.ts';

const nameForm = 'a name has lower-case letters, digits and inner dashes, at most 40 characters';
export const name = z.string().regex(lanePattern, nameForm).meta({ title: 'name' });

export const macPath = z
  .string()
  .regex(/^\/[^\0\n\r]*[^/\0\n\r]$/, 'an absolute path without a slash at its end')
  .max(256, 'a path has at most 256 characters')
  .refine((path) => !path.split('/').includes('..'), 'a path without ".."')
  .meta({ title: 'absolute path' });

export const keyPath = z
  .string()
  .min(1, 'a path must not be empty')
  .max(1024)
  .regex(/^[^\0\n\r]*$/, 'a path is one line')
  .meta({ title: 'path' });

export const port = z
  .int('a port is a number from 1 to 65,535')
  .min(1, 'a port is at least 1')
  .max(65_535, 'a port is at most 65,535')
  .meta({ title: 'port' });

export const account = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/,
    'an account name has letters, digits, ".", "_" and "-", at most 63 characters',
  )
  .meta({ title: 'account' });

export const address = z
  .string()
  .regex(/^[A-Za-z0-9:](?:[A-Za-z0-9.:%_-]{0,251}[A-Za-z0-9])?$/, 'a host name or an IP address, without user or port');

export const region = name.describe('the region it stands in, such as `tokyo`; only compared, never looked up');

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone.length > 0;
  } catch {
    return false;
  }
}

export const timeZone = z
  .string()
  .max(64)
  .refine(
    (zone) => zone === 'ask' || (/^[A-Za-z]/.test(zone) && isTimeZone(zone)),
    'an IANA time zone such as Asia/Tokyo, or "ask" to ask the host',
  )
  .meta({ title: 'time zone' });

export const hostKey = z
  .string()
  .max(800, 'a host key has at most 800 characters')
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) (?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    'a host key is its type (ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp…), one space and base64, as `ssh-keyscan` prints them after the address',
  )
  .meta({ title: 'SSH public key' });

export const glob = z
  .string()
  .min(1, 'a glob must not be empty')
  .max(256)
  .regex(/^(?!\/)[^\0\n\r]*$/, "a glob is relative to the lane's home")
  .refine((text) => !text.split('/').includes('..'), 'a glob without ".."')
  .meta({ title: 'glob' });

export const laneHome = macPath
  .refine((path) => path.split('/').length > 2, 'a home is not a folder of the root itself')
  .meta({ title: 'absolute path' });

const belowHome = z
  .string()
  .regex(/^~\/[^\0\n\r]*[^/\0\n\r]$/)
  .max(256);

export const keychainPath = z
  .union([macPath, belowHome], { error: 'an absolute path, or one that starts with ~/' })
  .meta({ title: 'path' });
