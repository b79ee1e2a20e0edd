// What a command tells about itself beyond its arguments: its object under --json, and examples. Kept beside the
// commander tree, so that help and docs/cli.md come from one place.

import type { Command } from 'commander';

export interface CommandDocs {
  /** The fields of its --json object, one line each: `name`: what it is. */
  readonly json: readonly string[];
  /** Whole command lines. */
  readonly examples: readonly string[];
  /** Paragraphs. */
  readonly notes?: readonly string[];
}

const docs = new WeakMap<Command, CommandDocs>();

export function documented(command: Command, about: CommandDocs): Command {
  docs.set(command, about);
  const examples = about.examples.map((line) => `  $ ${line}`).join('\n');
  return command.addHelpText('after', `\nExamples:\n${examples}`);
}

export function docsOf(command: Command): CommandDocs | undefined {
  return docs.get(command);
}
