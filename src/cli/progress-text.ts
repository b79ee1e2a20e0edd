// What a follower sees, as text. Pure.

import { formatBytes, formatDuration, formatRate } from './format.ts';
import type { Shown } from './progress-meter.ts';

export interface Glyphs {
  readonly done: string;
  readonly failed: string;
  readonly full: string;
  readonly empty: string;
  readonly frames: readonly string[];
}

export const unicodeGlyphs: Glyphs = {
  done: '✔',
  failed: '✖',
  full: '█',
  empty: '░',
  frames: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
};
export const asciiGlyphs: Glyphs = { done: '*', failed: 'x', full: '#', empty: '.', frames: ['|', '/', '-', '\\'] };

/** A terminal that is not known to show UTF-8 gets ASCII. */
export function glyphsOf(env: Readonly<Record<string, string | undefined>>): Glyphs {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale) ? unicodeGlyphs : asciiGlyphs;
}

const barWidth = 20;

export function bar(share: number, glyphs: Glyphs): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
  return glyphs.full.repeat(full) + glyphs.empty.repeat(barWidth - full);
}

/** `52 %, 1.2 GB of 2.3 GB, 43.1 MB/s, 25 s left, 5 of 9 segments`. */
export function flowText({ bytes, segments }: Pick<Shown, 'bytes' | 'segments'>): string {
  return [
    ...(bytes
      ? [`${percent(bytes.done / bytes.total)} %`, `${formatBytes(bytes.done)} of ${formatBytes(bytes.total)}`]
      : []),
    ...(bytes && bytes.perMs !== null ? [formatRate(bytes.perMs)] : []),
    ...(bytes && bytes.leftMs !== null && bytes.done < bytes.total
      ? [`${formatDuration(Math.max(1000, bytes.leftMs))} left`]
      : []),
    ...(segments ? [`${segments.done} of ${segments.total} segments`] : []),
  ].join(', ');
}

/** 100 only when all is done. */
function percent(share: number): number {
  return Math.floor(share * 100);
}

/** `step tree: 1 m 2 s of 40 m`. */
export function stepText({ step }: Pick<Shown, 'step'>): string {
  return step ? `step ${step.name}: ${formatDuration(step.ms)} of ${formatDuration(step.budgetMs)}` : '';
}

/** The lines that a terminal redraws. */
export function liveLines(shown: Shown, glyphs: Glyphs, frame: number): string[] {
  const spinner = glyphs.frames[frame % glyphs.frames.length] ?? '';
  const flow = flowText(shown);
  const drawn = shown.bytes ? `${bar(shown.bytes.done / shown.bytes.total, glyphs)} ${flow}` : flow;
  return [
    `${spinner} ${phaseText(shown)}`,
    ...[drawn, stepText(shown)].filter((line) => line !== '').map((line) => `  ${line}`),
    ...shown.remarks.map((remark) => `  ! ${remark}`),
  ];
}

/** Phases under each other have their times in one column; one that came and went between two looks took under a second. */
export function phaseText({ phase, phaseMs }: Pick<Shown, 'phase' | 'phaseMs'>): string {
  return `${phase.padEnd(phaseWidth)}  ${phaseMs < 1000 ? '< 1 s' : formatDuration(phaseMs)}`;
}
const phaseWidth = 34;

/** One line for a log or a pipe. */
export function plainLine(title: string, shown: Shown): string {
  const about = [shown.phase, flowText(shown), stepText(shown), ...shown.remarks].filter((text) => text !== '');
  return `${title} [${formatDuration(shown.elapsedMs)}] ${about.join('; ')}`;
}
