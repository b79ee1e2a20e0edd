// The words of the bed: what a test asks for, and what it gets.

export type BedKind = 'namespaces' | 'sshd' | 'in-process';
export type BedProfile = 'slimvps-legacy' | 'openclaw-2026';

export interface BedOptions {
  readonly kind: BedKind;
  /** The bed's own folder: everything it writes is below it (and one socket below the temporary folder). */
  readonly dir: string;
  /**
   * `guests`: numbers of lanes of other hosts, whose accounts this one has too, with an empty home. `recruits`: those whose
   * accounts sysadminctl has to make first, where users are real; elsewhere they are guests.
   */
  readonly hosts: readonly {
    readonly name: string;
    readonly lanes: number;
    readonly profile?: BedProfile;
    readonly guests?: readonly number[];
    readonly recruits?: readonly number[];
  }[];
  /** Believable data for each lane, in bytes; little when left out. */
  readonly dataBytes?: number;
  /** A bed that goes on when the process that started it has ended; `cleanBed(dir)` ends it. */
  readonly outlivesOwner?: boolean;
  /** Programs to do without, as on a machine that has none: the bed's own stand in for them. */
  readonly without?: readonly ('bsdtar' | 'curl' | 'ps' | 'sqlite3')[];
  /** The gateways' background writers: one line each so many milliseconds. 0, the default: none. */
  readonly chatterMs?: number;
}

export interface BedItem {
  readonly service: string;
  readonly account: string;
}

export interface BedLane {
  readonly lane: string;
  readonly host: string;
  readonly user: string;
  /** As the host sees it. */
  readonly home: string;
  /** As this process sees it. */
  readonly realHome: string;
  readonly label: string;
  readonly domain: 'system';
  /** Of the plist, as the host sees it. */
  readonly plist: string;
  readonly port: number;
  readonly profile: BedProfile;
  readonly keychain: string;
  readonly keychainPassword: string;
  readonly secrets: readonly BedItem[];
  readonly messageToken: BedItem;
  /** The Keychain's values, by `service`: what a test compares after a restore. */
  readonly values: Readonly<Record<string, Buffer>>;
  /** Every planted secret, one line each: found nowhere but in the Keychain and on the lane's own disk. */
  readonly canaries: readonly string[];
}

export interface BedHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Whom SSH logs in as. */
  readonly user: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** What stands for `/` as the host sees it, and as this process sees it. */
  readonly root: string;
  readonly realRoot: string;
  readonly profile: BedProfile;
  /** Overrides for fleet.yaml's `tools`. */
  readonly tools: Readonly<Record<string, string>>;
  /** Power cut: every process of the host is gone, its disk stays. */
  kill(): Promise<void>;
  /** Same disk and host key; LaunchDaemons are loaded unless disabled; keychains are locked. */
  boot(): Promise<void>;
  reboot(): Promise<void>;
  /** SIGSTOP: the host hangs, connections stand still. */
  pauseSshd(): void;
  resumeSshd(): void;
  /** The listener and all sessions die; what they ran goes on as orphans, as on a real host. */
  killSshd(): Promise<void>;
  startSshd(): Promise<void>;
  /** Takes sudo's rule for an account away, or gives it back. `root` is an account too. */
  setSudo(account: string, allowed: boolean): void;
  /** Tells launchd that this uid sits at the console: its gui domain exists from now on. */
  setConsoleUser(uid: number): Promise<void>;
}

export interface Bed {
  readonly kind: BedKind;
  readonly dir: string;
  readonly hosts: readonly BedHost[];
  readonly lanes: readonly BedLane[];
  /** OpenSSH form, ed25519, no passphrase. */
  readonly sshKey: Buffer;
  readonly sshKeyPath: string;
  host(name: string): BedHost;
  lane(name: string): BedLane;
  /** What is real here and what stands in, in one line. */
  describe(): string;
  /** Ends every process; files stay in `dir`. */
  stop(): Promise<void>;
}
