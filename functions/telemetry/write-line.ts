/** Writes JSON, one line each, where Lambda takes log lines and metrics from. */

// Node.js opens it when it is first named, which takes milliseconds: while INIT waits for the network, not in a request.
setImmediate(() => process.stdout);

/** Past `console`, which Lambda's runtime replaces to put its own words in front of each line. */
export function writeLine(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
