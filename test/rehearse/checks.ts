// What is looked at after a rehearsal: each check with what it tells when it is so.

export type Checks = readonly (readonly [what: string, isSo: boolean])[];

export function whatIsSo(checks: Checks): string[] {
  return checks.filter(([, isSo]) => isSo).map(([what]) => what);
}
