// Shows progress on stderr: redrawn in place on a terminal, plain lines elsewhere, at each new phase or remark and
// every five seconds.

import { createLogUpdate } from 'log-update';
import type { Cli } from './cli.ts';
import type { Shown } from './progress-meter.ts';
import { glyphsOf, liveLines, phaseText, plainLine } from './progress-text.ts';

export interface ProgressView {
  show(shown: Shown): void;
  end(how: ViewEnd): void;
}

/** How the last phase ended; `left`: it goes on, only nobody watches it any more. */
export type ViewEnd = 'done' | 'failed' | 'left';

export function openView(cli: Cli, title: string): ProgressView {
  const { stderr, env } = cli.around;
  return stderr.isTTY === true && env['TERM'] !== 'dumb' ? new TerminalView(cli) : new PlainView(cli, title);
}

class TerminalView implements ProgressView {
  readonly #cli: Cli;
  readonly #draw;
  readonly #glyphs;
  #frame = 0;
  #last: Shown | undefined;

  constructor(cli: Cli) {
    this.#cli = cli;
    this.#draw = createLogUpdate(cli.around.stderr as NodeJS.WriteStream);
    this.#glyphs = glyphsOf(cli.around.env);
  }

  show(shown: Shown): void {
    if (this.#last && this.#last.phase !== shown.phase) this.#persist(this.#last);
    this.#last = shown;
    this.#frame += 1;
    this.#draw(liveLines(shown, this.#glyphs, this.#frame).join('\n'));
  }

  end(how: ViewEnd): void {
    this.#draw.clear();
    if (how !== 'left' && this.#last) this.#persist(this.#last, how);
    this.#draw.done();
  }

  #persist(shown: Shown, how: 'done' | 'failed' = 'done'): void {
    const mark =
      how === 'done' ? this.#cli.paint('green', this.#glyphs.done) : this.#cli.paint('red', this.#glyphs.failed);
    this.#draw.persist(`${mark} ${phaseText(shown)}`);
  }
}

const plainEveryMs = 5_000;

class PlainView implements ProgressView {
  readonly #cli: Cli;
  readonly #title: string;
  #key = '';
  #shownMs = Number.NEGATIVE_INFINITY;

  constructor(cli: Cli, title: string) {
    this.#cli = cli;
    this.#title = title;
  }

  show(shown: Shown): void {
    const key = [shown.phase, shown.remarks.length].join('\n');
    if (key === this.#key && shown.elapsedMs - this.#shownMs < plainEveryMs) return;
    this.#key = key;
    this.#shownMs = shown.elapsedMs;
    this.#cli.note(plainLine(this.#title, shown));
  }

  end(): void {
    // what was shown stands
  }
}
