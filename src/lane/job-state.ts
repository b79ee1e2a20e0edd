// What launchctl prints about a job, read. Pure.

export interface JobState {
  readonly loaded: boolean;
  /** As `print` says: running, not running, waiting, spawn scheduled, SIGTERMed. */
  readonly state?: string;
  readonly pid?: number;
  /** launchd's persistent override: a disabled job is not loaded, at boot either. */
  readonly disabled: boolean;
  /** Absolute, of the plist it was loaded from. */
  readonly plistPath?: string;
  /** Exit status of the last process; absent when none has ended. */
  readonly lastExit?: number;
  /** How many processes it has had. */
  readonly runs?: number;
}

/** Only what stands at one tab of indent is the job's own; deeper blocks have states of their own. */
function field(text: string, name: string): string | undefined {
  return new RegExp(`^\\t${name} = (.*)$`, 'm').exec(text)?.[1];
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+/.test(text) ? Number.parseInt(text, 10) : undefined;
}

/** What `launchctl print` says of a loaded job. */
export function parseJob(text: string): Omit<JobState, 'disabled' | 'loaded'> {
  const found = {
    state: field(text, 'state'),
    pid: numberOf(field(text, 'pid')),
    plistPath: field(text, 'path'),
    lastExit: numberOf(field(text, 'last exit code')),
    runs: numberOf(field(text, 'runs')),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** `"label" => disabled` of today, `=> true` of old (macos-notes, 1). */
export function parseDisabled(text: string, label: string): boolean {
  const row = text.split('\n').find((line) => line.trim().startsWith(`"${label}" =>`));
  return row !== undefined && /=> (disabled|true)$/.test(row.trim());
}
