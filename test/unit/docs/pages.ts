// The hand-written pages, and the blocks in them that are commands.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const project = resolve(import.meta.dirname, '../../..');
export const written = [
  'README.md',
  'docs/architecture.md',
  'docs/operating.md',
  'docs/threat-model.md',
  'docs/break-glass.md',
  'docs/s3.md',
  'docs/receipt-format.md',
  'docs/hooks.md',
  'docs/schedules.md',
  'docs/playbooks.md',
  'docs/losses.md',
  'docs/gate.md',
  'docs/faq.md',
] as const;

export interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
  /** `run: NAME`, by which a test finds it, or `shown: WHY NOT`; undefined when nothing says. */
  readonly mark: string | undefined;
}

export function pageText(page: string): string {
  return readFileSync(join(project, page), 'utf8');
}

/** Fenced blocks, each with the comment in the line (or the paragraph) before it. */
export function blocksOf(page: string): Block[] {
  const fences = /(?:<!-- ((?:run|shown): [^>]+) -->\s*)?^```(\w*)\n(.*?)^```$/gms;
  return [...pageText(page).matchAll(fences)].map(([, mark, language = '', text = '']) => ({
    page,
    mark,
    language,
    text,
  }));
}

/** The commands that a test runs, by their name. */
export function runBlock(page: string, name: string): string {
  const found = blocksOf(page).filter(({ mark }) => mark === `run: ${name}`);
  if (found.length !== 1 || !found[0]) throw new Error(`${page} has ${found.length} blocks "run: ${name}"`);
  return found[0].text;
}
