// Every way Clawback fails, in one table. The union of codes, which failures Temporal may retry, the CLI's
// exit statuses and docs/failure-modes.md all come from it. A failure carries a code, a message that names
// the object and the numbers, and a context of allowed fields only, so that no secret can reach a log.

/** Exit statuses of the CLI, by what they mean to a script. */
export const exitStatus = {
  ok: 0,
  bug: 1,
  input: 2,
  refused: 3,
  failed: 4,
  attention: 5,
  unreachable: 6,
  damaged: 7,
  budget: 8,
  partial: 9,
  interrupted: 130,
} as const;
export type ExitName = keyof typeof exitStatus;

interface Row {
  /** May the same step be tried again and succeed without anybody's help? */
  readonly retry: boolean;
  readonly exit: ExitName;
  readonly meaning: string;
  /** What the operator does next. */
  readonly hint: string;
}

// biome-ignore format: one row a failure, so that the table reads as a table
export const failureTable = {
  InvalidInput: { retry: false, exit: 'input', meaning: 'an input or flag has a wrong form', hint: 'correct the named field' },
  InvalidFleet: { retry: false, exit: 'input', meaning: 'fleet.yaml is wrong', hint: 'correct the named line; `./clawback config check` shows all of them at once' },
  UnknownLane: { retry: false, exit: 'input', meaning: 'the fleet has no such lane', hint: 'use one of the lanes that the message lists' },
  FleetChanged: { retry: false, exit: 'refused', meaning: 'the fleet file changed between the start and a step', hint: 'start the operation again; restart workers that still hold the old file' },
  SecretUnavailable: { retry: false, exit: 'input', meaning: 'a secret reference could not be resolved', hint: 'set the variable, file or command that the reference names, on the worker' },
  NodeVersion: { retry: false, exit: 'input', meaning: 'this Node is too old', hint: 'start through ./clawback or npm, which use the pinned Node' },

  TemporalUnreachable: { retry: true, exit: 'unreachable', meaning: 'the Temporal service does not answer', hint: 'start it, or set TEMPORAL_ADDRESS; nothing was changed' },
  TemporalMissing: { retry: false, exit: 'input', meaning: 'the embedded Temporal server is not on this machine and could not be fetched', hint: 'install Go 1.23 or newer, or set CLAWBACK_TEMPORAL_CLI to a `temporal` program' },
  TemporalWouldNotStart: { retry: false, exit: 'failed', meaning: 'the embedded Temporal server ended or did not answer', hint: 'the message holds its last words; a port or the database file may be in use' },
  NoPollers: { retry: false, exit: 'refused', meaning: 'a queue that the operation needs has no worker', hint: 'start `./clawback worker` for the named queue' },
  LaneBusy: { retry: false, exit: 'refused', meaning: 'another operation holds the lane', hint: 'wait for the named workflow, or cancel it' },
  RestoredMeanwhile: { retry: false, exit: 'refused', meaning: 'another run restored the lane while it waited for its turn in a fleet restore', hint: 'nothing to do if that one was meant; else restore this lane alone' },

  HostUnreachable: { retry: true, exit: 'unreachable', meaning: 'the host does not answer SSH', hint: 'check power, network and the address in fleet.yaml' },
  HostKeyChanged: { retry: false, exit: 'refused', meaning: 'the host shows another key than the pinned one', hint: 'find out why before you trust it; a rebuilt host gets a new `hostKey` in fleet.yaml' },
  HostLoginRefused: { retry: false, exit: 'refused', meaning: 'the host refuses the SSH key', hint: 'put the public key into the account\'s authorized_keys' },
  HostConnectionLost: { retry: true, exit: 'unreachable', meaning: 'the connection broke, or a channel closed without an exit status', hint: 'it is tried again; check the network if it goes on' },
  StreamStalled: { retry: true, exit: 'unreachable', meaning: 'no byte came for a minute', hint: 'it is tried again; check the network if it goes on' },
  HostCommandFailed: { retry: true, exit: 'failed', meaning: 'a command on the host ended with an error', hint: 'see the report on the lane (`~/.clawback/report`)' },
  HostCommandTimeout: { retry: true, exit: 'failed', meaning: 'a command on the host did not end in time', hint: 'look at the host\'s load' },
  HostOutputUnexpected: { retry: false, exit: 'failed', meaning: 'a command\'s output has an unknown form', hint: 'report it with the macOS version' },
  ToolMissing: { retry: false, exit: 'refused', meaning: 'a needed program is not on the host', hint: 'install it, or set its path under `tools` in fleet.yaml' },
  SudoRefused: { retry: false, exit: 'refused', meaning: 'sudo asks for a password or has no such rule', hint: 'install the sudoers file that `docs/operating.md` gives' },

  LaneUserMissing: { retry: false, exit: 'refused', meaning: 'the lane\'s account or home is not on the host', hint: 'create the user, or correct `user` in fleet.yaml' },
  FenceLost: { retry: false, exit: 'failed', meaning: 'a newer attempt works on this lane', hint: 'nothing to do: the newer attempt goes on' },
  JournalDamaged: { retry: false, exit: 'attention', meaning: 'the lane\'s journal cannot be read', hint: 'do not start the gateway; see docs/operating.md, "A damaged journal"' },
  LaneUnsettled: { retry: false, exit: 'attention', meaning: 'the lane could not be put right', hint: 'its gateway may be down: run `./clawback status` and follow what it says' },

  LaunchdDomainMissing: { retry: false, exit: 'refused', meaning: 'launchd has no such domain now', hint: 'a gui domain needs its user at the console; use a LaunchDaemon with UserName' },
  PlistInvalid: { retry: false, exit: 'refused', meaning: 'a launchd plist is missing or not the lane\'s', hint: 'compare label, UserName and program with the profile' },
  LaunchdFailed: { retry: true, exit: 'failed', meaning: 'launchctl did not do what it was told', hint: 'run the printed launchctl command as root on the host' },
  GatewayWouldNotStop: { retry: true, exit: 'failed', meaning: 'processes of the lane outlive their stop', hint: 'look at the named pids on the host' },
  GatewayWouldNotStart: { retry: true, exit: 'failed', meaning: 'the gateway exits or never listens', hint: 'read its log on the host; its configuration may be broken' },

  HookMissing: { retry: false, exit: 'refused', meaning: 'the fleet file has no hook of the kind that is needed', hint: 'add the named field to fleet.yaml (docs/hooks.md) and restart the workers' },
  HookFailed: { retry: false, exit: 'failed', meaning: 'a hook failed or did not end in time, as often as it was tried', hint: 'run its command by hand, or look at its service; what it writes is nowhere kept, so let it write a log of its own' },
  HookAnswerInvalid: { retry: false, exit: 'failed', meaning: 'a hook did not answer what its kind may answer', hint: 'correct the named field of its answer (docs/hooks.md)' },

  KeychainMissing: { retry: false, exit: 'refused', meaning: 'the lane\'s keychain file is not there', hint: 'create it, or correct `keychain.path` in fleet.yaml' },
  KeychainLocked: { retry: false, exit: 'refused', meaning: 'the keychain is locked', hint: 'give `keychain.password` in fleet.yaml a reference that the vault worker can resolve' },
  KeychainPasswordWrong: { retry: false, exit: 'refused', meaning: 'the keychain refuses its password', hint: 'correct what `keychain.password` refers to' },
  KeychainItemMissing: { retry: false, exit: 'refused', meaning: 'an item that fleet.yaml names is not in the keychain', hint: 'create the item, or take it out of `secrets` in fleet.yaml' },
  KeychainItemUnusable: { retry: false, exit: 'refused', meaning: 'an item could not be written back as it is (too long, or a service or account name that `security` cannot take)', hint: 'shorten the item\'s value or rename it' },

  DiskTooFull: { retry: false, exit: 'refused', meaning: 'too little room on the lane\'s volume', hint: 'free the number of bytes that the message gives' },
  TreeUnusable: { retry: false, exit: 'refused', meaning: 'a tree of the lane is a symbolic link, or lies on another volume than its home', hint: 'put the tree itself in its place, or exclude it' },
  PortTaken: { retry: false, exit: 'refused', meaning: 'another process listens on the lane\'s port', hint: 'stop the named process' },
  VersionUnsupported: { retry: false, exit: 'refused', meaning: 'OpenClaw\'s version is outside every profile\'s range', hint: 'repeat with --accept-version if you know that the layout is the same' },

  ListingFailed: { retry: true, exit: 'failed', meaning: 'the lane\'s files could not be listed whole', hint: 'see the report on the lane' },
  PlanLost: { retry: false, exit: 'failed', meaning: 'the lists on the lane are gone or changed', hint: 'it is planned anew' },
  TarFailed: { retry: true, exit: 'failed', meaning: 'tar ended with an error', hint: 'see the report on the lane: it names the files' },
  FileNeverStill: { retry: false, exit: 'failed', meaning: 'a file kept changing while it was read', hint: 'exclude it, or back up at a quieter time; the report on the lane names it' },
  DatabaseBackupFailed: { retry: true, exit: 'failed', meaning: 'a consistent copy of a database could not be made', hint: 'see the report on the lane' },
  ClassOneEmpty: { retry: false, exit: 'failed', meaning: 'there is nothing of class 1 to save', hint: 'check home, profile and exclusions of the lane' },

  StoreUnreachable: { retry: true, exit: 'unreachable', meaning: 'the store does not answer', hint: 'check its address, credential and network' },
  StoreUnmarked: { retry: false, exit: 'refused', meaning: 'the folder of a directory store has no marker: its volume is not mounted, or it was never made a store', hint: 'mount its volume; only a new store is made one by `./clawback stores init`' },
  StoreRefused: { retry: false, exit: 'refused', meaning: 'the store refuses the credential or the request', hint: 'check permissions of the store' },
  StoreFull: { retry: true, exit: 'unreachable', meaning: 'the store has no room', hint: 'give the store room; nothing finished is lost' },
  StoreServerMissing: { retry: false, exit: 'input', meaning: 'the S3 server for tests and demo is not on this machine and could not be built', hint: 'install Go 1.23 or newer, or set CLAWBACK_VERSITYGW to a `versitygw` program' },
  StoreServerWouldNotStart: { retry: false, exit: 'failed', meaning: 'the S3 server for tests and demo ended or did not answer', hint: 'the message holds its last words; its folder must lie on a file system with extended attributes' },
  ObjectExists: { retry: true, exit: 'failed', meaning: 'an object of that key is there already', hint: 'it is written under a new key' },
  ObjectLocked: { retry: false, exit: 'refused', meaning: 'an object is under retention (Object Lock) and may not be deleted yet', hint: 'wait until the time that the message gives' },
  ObjectMissing: { retry: false, exit: 'damaged', meaning: 'an object that a manifest names is gone', hint: 'restore from another bundle or the replica' },

  ReplicaDamaged: { retry: false, exit: 'damaged', meaning: 'the replica has other bytes than the bundle\'s under keys of it', hint: 'find out who could write to the replica; remove the named objects there and replicate again' },
  NoReplica: { retry: false, exit: 'refused', meaning: 'the lane\'s store has no replica', hint: 'give a store in another region `replicaOf` in fleet.yaml' },

  BackupTooLong: { retry: false, exit: 'failed', meaning: 'a backup took longer than a bundle may take to be committed', hint: 'see how fast the link to host and store is, or exclude what need not be saved; no bundle was written' },
  ClockOff: { retry: true, exit: 'failed', meaning: 'the clocks of worker, Temporal and store differ by more than a minute', hint: 'set the clock that the message shows to be off (NTP); nothing is removed meanwhile' },
  NoRestorePoint: { retry: false, exit: 'refused', meaning: 'no bundle fits what was asked', hint: '`./clawback bundles list` shows what there is' },
  BundleForeign: { retry: false, exit: 'refused', meaning: 'the bundle is of another lane or fleet', hint: 'choose a bundle of this lane' },
  BundleKeyWrong: { retry: false, exit: 'refused', meaning: 'the bundle is not sealed to the key that was given', hint: 'use a key whose fingerprint the bundle\'s manifest names among its recipients' },
  BundleFormatUnknown: { retry: false, exit: 'damaged', meaning: 'the bundle is of a format that this build cannot read', hint: 'use the newest Clawback' },
  BundleSignatureBad: { retry: false, exit: 'damaged', meaning: 'the manifest\'s signature does not fit', hint: 'do not restore it; find out who could write to the store' },
  BundleDamaged: { retry: false, exit: 'damaged', meaning: 'a segment, index or manifest is not what was written', hint: 'restore from another bundle or the replica' },
  ArchiveHostile: { retry: false, exit: 'damaged', meaning: 'an archive holds what no backup of ours writes', hint: 'do not restore it; find out who made it' },

  ReceiptMissing: { retry: false, exit: 'refused', meaning: 'the store has no such receipt', hint: '`./clawback receipt list` shows what there is; a terminated run has none' },
  ReceiptForeign: { retry: false, exit: 'refused', meaning: 'the receipt is of another lane or fleet', hint: 'it proves nothing here: find out who put it there' },
  ReceiptFormatUnknown: { retry: false, exit: 'damaged', meaning: 'the receipt is of a type that this build cannot read', hint: 'use the newest Clawback' },
  ReceiptSignatureBad: { retry: false, exit: 'damaged', meaning: 'the receipt\'s signature does not fit', hint: 'do not believe it; after a rotation list the old public key under `keys.receipt.public` too' },
  ReceiptDamaged: { retry: false, exit: 'damaged', meaning: 'a receipt is not what was written', hint: 'do not believe it; find out who could write to the store' },
  ArchiveMissing: { retry: false, exit: 'refused', meaning: 'no such archive of the old scripts where `archives` in fleet.yaml says', hint: 'put it there; its name is relative to that folder or store' },
  ArchiveKeyWrong: { retry: false, exit: 'refused', meaning: 'an archive cannot be decrypted with the passphrase or key that was given', hint: 'correct what `archives.passphrase` (or `archives.gpgHome`) refers to' },
  ArchiveForeign: { retry: false, exit: 'refused', meaning: 'an archive is of another lane', hint: 'choose an archive of this lane; its name and the account in its paths tell whose it is' },
  ArchiveDamaged: { retry: false, exit: 'damaged', meaning: 'an archive is cut or changed', hint: 'use another archive, or a copy of it that is whole' },
  DatabaseDamaged: { retry: false, exit: 'damaged', meaning: 'a database of an imported archive fails its integrity check', hint: 'restore another archive, or one component without it (`--only`); the report on the lane names it' },
  HostDiffers: { retry: false, exit: 'refused', meaning: 'the lane has another user, home or port than on the host that its bundle is of', hint: 'give the lane the same user, home and port on its new host' },
  HostNotFenced: { retry: false, exit: 'refused', meaning: 'the gateway still runs on the host that the lane came from', hint: 'stop it there and disable its job, or repeat with `--accept-running` if two of them may run' },
  HostUnfit: { retry: false, exit: 'refused', meaning: 'the host cannot take the lanes over: too little room, another architecture, an account that is not as the lane needs it', hint: 'mend what the message names on that host, or name another with `--standby`' },
  NoStandby: { retry: false, exit: 'refused', meaning: 'no host is left that could take the lanes over', hint: 'add a host with `standby: true`, or a `provision` hook, to fleet.yaml; or go on by hand: `./clawback host replace HOST`' },
  UnknownHost: { retry: false, exit: 'input', meaning: 'the fleet has no such host', hint: 'use one of the hosts of fleet.yaml' },
  AlreadyMoved: { retry: false, exit: 'refused', meaning: 'lanes of the host were moved to another one before', hint: 'put into fleet.yaml what `./clawback host moved HOST` prints, and restart the workers; a host that never comes back is told by `./clawback host gone HOST`' },
  PlacementBad: { retry: false, exit: 'refused', meaning: 'an incident names a host for a lane that the fleet file does not have as a standby, and that no vault worker vouched for', hint: 'see who started the named workflow; terminate it when it was none of yours' },

  ApprovalRefused: { retry: false, exit: 'refused', meaning: 'the approval does not count: not of this plan, not of an approver, or past its time', hint: '`./clawback incidents show` prints the plan and who may approve it; the incident goes on waiting' },
  PlanStale: { retry: false, exit: 'refused', meaning: 'the plan has changed since it was looked at', hint: 'look at the new plan (`./clawback incidents show`) and approve that' },
  PlaybookDisabled: { retry: false, exit: 'refused', meaning: 'the fleet file does not let the watch open this playbook', hint: 'start it with `./clawback recover`, or set `enabled` under `playbooks` in fleet.yaml' },
  RecoveryFailed: { retry: false, exit: 'failed', meaning: 'a playbook did not bring every lane back', hint: 'docs/playbooks.md says what to do when it is not enough' },
  MessageUnanswered: { retry: false, exit: 'failed', meaning: 'the gateway is healthy but answers no message', hint: 'a token is wrong or missing: look at its log for 401' },
  RestoreFailed: { retry: false, exit: 'failed', meaning: 'the restore failed and the lane is as it was', hint: 'the cause stands in the message' },
  GateRefused: { retry: false, exit: 'refused', meaning: 'a gate cannot be told this now', hint: '`./clawback gate status HOST` shows which day stands in the way' },
  GateDayFailed: { retry: false, exit: 'failed', meaning: 'a day of the gate did not show what it has to', hint: 'do what its row advises, then `./clawback gate retry HOST --day` with the number of the day' },
  Terminated: { retry: false, exit: 'failed', meaning: 'the section of a backup or sweep was terminated from outside', hint: '`./clawback bundles list` shows whether its bundle was made; to end one, request its cancellation (`./clawback cancel WORKFLOW`) and it tidies up after itself' },
  UpgradeFailed: { retry: false, exit: 'failed', meaning: 'an upgrade failed; the message says how the lane is now', hint: 'see why the upgrade hook failed, or the gateway\'s log on the host; the bundle that was taken before the upgrade stays' },
  NothingToUndo: { retry: false, exit: 'refused', meaning: 'no restore that could be undone', hint: '`./clawback status` shows whether a .bak tree is left' },
  BudgetExceeded: { retry: false, exit: 'budget', meaning: 'a budget was overrun', hint: 'reduce class 2, or add NVMe' },
  Cancelled: { retry: false, exit: 'interrupted', meaning: 'it was cancelled; the lane is as it was', hint: 'start it again when you want it' },
  Detached: { retry: false, exit: 'interrupted', meaning: 'Ctrl-C ended the command line; what it had started goes on', hint: '`./clawback follow WORKFLOW` shows it again, `./clawback cancel WORKFLOW` ends it' },
  Unexpected: { retry: true, exit: 'bug', meaning: 'a defect of Clawback', hint: 'report it with the message' },
} as const satisfies Record<string, Row>;

export type FailureCode = keyof typeof failureTable;

/** What a failure may say beside its message. No free fields: a value here can reach logs and histories. */
export interface FailureContext {
  readonly lane?: string;
  readonly host?: string;
  readonly fleet?: string;
  readonly bundle?: string;
  readonly segment?: string;
  readonly store?: string;
  readonly key?: string;
  readonly queue?: string;
  readonly step?: string;
  readonly tool?: string;
  readonly field?: string;
  readonly workflowId?: string;
  readonly exitStatus?: number;
  readonly expectedBytes?: number;
  readonly actualBytes?: number;
  readonly count?: number;
  /** An instant: ObjectLocked. */
  readonly until?: string;
}

/** The one error that Clawback's own code throws. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly context: FailureContext;

  /** @param message lower case, names the object and the numbers; holds no secret and no file name of a lane */
  constructor(code: FailureCode, message: string, context: FailureContext = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.context = context;
  }
}

export function isFailure(error: unknown, code?: FailureCode): error is Failure {
  return error instanceof Failure && (code === undefined || error.code === code);
}

export function isFailureCode(text: unknown): text is FailureCode {
  return typeof text === 'string' && Object.hasOwn(failureTable, text);
}

export function isRetryable(code: FailureCode): boolean {
  return failureTable[code].retry;
}

/** The failure types that Temporal must not retry (RetryPolicy.nonRetryableErrorTypes). */
export const nonRetryableCodes: readonly FailureCode[] = (Object.keys(failureTable) as FailureCode[]).filter(
  (code) => !isRetryable(code),
);

export function exitStatusOf(code: FailureCode): number {
  return exitStatus[failureTable[code].exit];
}

/** Message and hint as the operator reads them. */
export function describeFailure(code: FailureCode, message: string): string {
  return `${message}\nHINT: ${failureTable[code].hint}`;
}
