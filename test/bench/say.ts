/** Progress goes to stderr, so that `--json` leaves one object alone on stdout. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);
