/**
 * The text of /proc/TID/status (proc_pid_status(5)): a field to a line, `Field:\tvalue`.
 * The first is the thread's name, which the thread chooses. The kernel escapes newline and
 * backslash in it and nothing else, so a newline alone ends a line: to a regular expression
 * a carriage return would end one too, and what the name says after it would be a field.
 */

const NEWLINE = '\n';
const BLANKS = /[ \t]+/;
const DECIMAL = /^[0-9]+$/;

/** The value of a field as it stands there; undefined if there is none, or not all of its line. */
export function statusField(status: string, field: string): string | undefined {
  const start = `${field}:\t`;
  for (let at = 0; ; ) {
    const end = status.indexOf(NEWLINE, at);
    if (end === -1) return undefined;
    if (status.startsWith(start, at)) return status.slice(at + start.length, end);
    at = end + 1;
  }
}

/** The decimal numbers of a field; undefined if there is none, or something else stands there. */
export function statusNumbers(status: string, field: string): number[] | undefined {
  const words = statusField(status, field)?.split(BLANKS).filter(Boolean);
  return words?.every((word) => DECIMAL.test(word)) === true ? words.map(Number) : undefined;
}
